(() => {
  const map = document.querySelector("svg.map .cells");
  const out = document.getElementById("cell");
  if (!map || !out) return;
  let chosen = null;
  const show = (cell) => {
    const lines = cell.querySelector("title").textContent.split("\n");
    out.replaceChildren(...lines.map((line, number) => {
      const part = document.createElement(number === 1 ? "strong" : "span");
      part.textContent = line;
      return part;
    }));
  };
  map.addEventListener("pointerover", (event) => {
    const cell = event.target.closest(".c");
    if (cell && !chosen) show(cell);
  });
  map.addEventListener("click", (event) => {
    const cell = event.target.closest(".c");
    if (!cell) return;
    if (chosen) chosen.classList.remove("chosen");
    chosen = chosen === cell ? null : cell;
    if (chosen) chosen.classList.add("chosen");
    show(cell);
  });
})();
