// Shows what the local process asks for, and has a passkey sign exactly that: the challenge is
// computed here, from the text that is shown.
"use strict";

const byId = (id) => document.getElementById(id);

const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const toBase64 = (buffer) => {
  let text = "";
  for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
  return btoa(text);
};

const say = (text) => { byId("outcome").textContent = text; };

const enable = (on) => { byId("go").disabled = !on; byId("no").disabled = !on; };

function addFacts(list, facts) {
  for (const [label, value] of facts) {
    const term = document.createElement("dt");
    const fact = document.createElement("dd");
    term.textContent = label;
    fact.textContent = value;
    list.append(term, fact);
  }
}

async function show(task) {
  document.title = task.title;
  byId("title").textContent = task.title;
  byId("go").textContent = task.button;
  addFacts(byId("facts"), task.facts);
  for (const section of task.sections) {
    const head = document.createElement("h2");
    head.textContent = section.title;
    const text = document.createElement("pre");
    text.textContent = section.text;
    if (section.is_claim) text.className = "claim";
    byId("sections").append(head, text);
  }
  if (task.kind === "sign") {
    byId("statement").textContent = task.shown;
    const digest = await crypto.subtle.digest("SHA-256", fromBase64(task.statement));
    byId("digest").textContent =
      [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    byId("exact").hidden = false;
  }
  enable(true);
}

async function sign(task) {
  const challenge = await crypto.subtle.digest("SHA-256", fromBase64(task.statement));
  const found = await navigator.credentials.get({
    publicKey: {
      challenge,
      rpId: task.rp_id,
      allowCredentials: [{ type: "public-key", id: fromBase64(task.credential) }],
      userVerification: "required",
      timeout: 120000,
    },
  });
  return {
    client_data: toBase64(found.response.clientDataJSON),
    authenticator_data: toBase64(found.response.authenticatorData),
    signature: toBase64(found.response.signature),
    credential: toBase64(found.rawId),
  };
}

async function register(task) {
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: fromBase64(task.challenge),
      rp: { id: task.rp_id, name: "Spotbeam" },
      user: { id: fromBase64(task.user), name: task.person, displayName: task.person },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -8 }],
      authenticatorSelection: { userVerification: "required", residentKey: "discouraged" },
      attestation: "none",
      timeout: 120000,
    },
  });
  return {
    client_data: toBase64(made.response.clientDataJSON),
    authenticator_data: toBase64(made.response.getAuthenticatorData()),
    credential: toBase64(made.rawId),
  };
}

async function send(answer) {
  const response = await fetch("answer", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(answer),
  });
  return response.json();
}

async function begin() {
  const task = await (await fetch("task")).json();
  await show(task);
  byId("go").addEventListener("click", async () => {
    enable(false);
    say("Waiting for your passkey…");
    try {
      const answer = task.kind === "sign" ? await sign(task) : await register(task);
      const { word, done } = await send({ number: task.number, ...answer });
      say(word);
      enable(!done);
    } catch (fault) {
      say(`Nothing was signed: ${fault.message}`);
      enable(true);
    }
  });
  byId("no").addEventListener("click", async () => {
    enable(false);
    const { word } = await send({ number: task.number, declined: true });
    say(word);
  });
}

begin().catch((fault) => say(`This page could not be set up: ${fault.message}`));
