"""The public site and feeds by command: permanent, redacted, escaped, and provable."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.accounts import claim, read_world, with_parties
from support.edge_records import publish as put_on_disk
from support.episodes import Episodes
from support.governance import LICENCE, World

from spotbeam.assembly import publishing
from spotbeam.assembly.public_site import list_counts
from spotbeam.assembly.reading import read_record
from spotbeam.assembly.telling import chronicle_of
from spotbeam.chronicle.redaction import LEAST, count_words, shown_counts
from spotbeam.cli.app import main
from spotbeam.governance.entries.accounts import LossSeen, Matter, Observation, Party
from spotbeam.governance.entries.acts import PutList
from spotbeam.governance.entries.deciding import Bounds, Seal
from spotbeam.governance.entries.words import DAY_US
from spotbeam.report.public import overviews

CELL = "h3:841e265ffffffff"


@pytest.fixture(scope="module")
def played() -> Episodes:
    return Episodes()


def site_of(world: World, folder: Path, *more: str) -> Path:
    put_on_disk(world, folder / "record")
    site = folder / "site"
    assert main(["publish", str(site), "--source", str(folder / "record"), *more]) == 0
    return site


def files(site: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(site)): path.read_bytes()
        for path in sorted(site.rglob("*"))
        if path.is_file()
    }


def text_of(site: Path) -> str:
    return "\n".join(data.decode() for name, data in files(site).items() if name.endswith(".html"))


def test_the_same_record_is_the_same_site_byte_for_byte(played: Episodes, tmp_path: Path) -> None:
    one = files(site_of(played.world, tmp_path / "one"))
    assert one == files(site_of(played.world, tmp_path / "other"))
    assert one == files(site_of(played.world, tmp_path / "one"))


def test_addresses_and_proofs_stay_as_the_record_grows(tmp_path: Path) -> None:
    world = with_parties(World())
    world.pass_change()
    before = files(site_of(world, tmp_path))
    matter = world.say(Matter(title="Calls", where=("UA",)), "rex")
    world.say(claim(matter), "rex")
    world.anchor()
    after = files(site_of(world, tmp_path))
    assert before.keys() <= after.keys()
    proofs = {name: data for name, data in before.items() if name.startswith("proof/")}
    assert proofs.items() <= after.items()
    assert before["index.html"] != after["index.html"]


def test_a_run_that_is_broken_off_leaves_the_edition_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_record(site: Path) -> dict[str, bytes]:
        return {name: data for name, data in files(site).items() if "record/" not in name}

    world = with_parties(World())
    world.pass_change()
    before = without_record(site_of(world, tmp_path))
    world.say(Matter(title="Calls", where=("UA",)), "rex")
    world.anchor()
    put_on_disk(world, tmp_path / "record")
    with monkeypatch.context() as broken:
        broken.setattr(overviews, "check_page", lambda edition: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publish_now(tmp_path)
    assert without_record(tmp_path / "site") == before
    after, fresh = files(site_of(world, tmp_path)), files(site_of(world, tmp_path / "fresh"))
    assert fresh.keys() <= after.keys()
    # A proof that was written once stays as it is; everything else is as in a fresh site.
    assert {name for name in fresh if after[name] != fresh[name]} <= {
        name for name in before if name.startswith("proof/")
    }


def test_a_first_run_that_is_broken_off_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = with_parties(World())
    put_on_disk(world, tmp_path / "record")
    with monkeypatch.context() as broken:
        broken.setattr(publishing, "mirror", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publish_now(tmp_path)
    site_of(world, tmp_path)


def publish_now(folder: Path) -> None:
    read = read_record(folder / "record")
    source = str(folder / "record")
    publishing.publish(read, chronicle_of(read), folder / "site", view="un", source=source)


def test_everybody_on_record_has_a_page(played: Episodes, tmp_path: Path) -> None:
    site = site_of(played.world, tmp_path)
    for who in read_world(played.world).people:
        assert f"({who})" in (site / "party" / f"{who}.html").read_text()
    owner = (site / "party" / "owner.html").read_text()
    assert "The owner&#x27;s own page" in owner
    assert "has a tie" in owner or "declares a tie" in owner


def test_every_link_leads_somewhere_and_every_entry_is_proven(
    played: Episodes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = site_of(played.world, tmp_path)
    for path in site.rglob("*.html"):
        for href in re.findall(r'href="([^"#]+)"', path.read_text()):
            if not href.startswith("data:"):
                assert (path.parent / href).resolve().exists(), (path, href)
    proofs = sorted((site / "proof").iterdir())
    assert len(proofs) == len(list((site / "entry").iterdir())) > 60
    for proof in proofs[::9]:
        code = main(["record", "verify", str(proof), "--policy", str(site / "witness-policy.txt")])
        assert code == 0, capsys.readouterr().err


def test_what_others_wrote_stays_text(tmp_path: Path) -> None:
    world = with_parties(World())
    nasty = '<script>alert(1)</script><img src=x onerror=alert(1)>"\u202e\x1b[2J'
    world.say(Party(party="evil", name=nasty, kind="firm"), "rex")
    matter = world.say(Matter(title=nasty, where=("UA",), parties=("evil",)), "rex")
    world.say(claim(matter, name=nasty, place=nasty), "rex")
    world.request(("UA",), asker=nasty)
    world.anchor()
    site = site_of(world, tmp_path)
    everything = text_of(site)
    assert "&lt;script&gt;" in everything
    assert not re.search(r"<(script|img)", everything)
    ElementTree.fromstring((site / "feed.atom").read_bytes())
    json.loads((site / "feed.json").read_text())


def test_a_folder_of_somebody_elses_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = with_parties(World())
    put_on_disk(world, tmp_path / "record")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    code = main(["publish", str(tmp_path / "mine"), "--source", str(tmp_path / "record")])
    assert code != 0
    assert "holds other files" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_the_site_of_another_record_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(site_of(with_parties(World()), tmp_path))
    put_on_disk(with_parties(World(salt="1" * 64)), tmp_path / "other")
    code = main(["publish", str(tmp_path / "site"), "--source", str(tmp_path / "other")])
    assert code == 2
    assert "holds the site of another record" in capsys.readouterr().err
    assert files(tmp_path / "site") == before


# -- redaction


def sealed(world: World) -> str:
    seal = Seal(
        request=world.request(("UA",)),
        grounds=(LICENCE,),
        commitment="5" * 64,
        bounds=Bounds(where=("UA",), cells=(CELL,), verb="restrict", lasts_us=DAY_US),
        open_by_us=world.clock_us + 3 * DAY_US,
        impact="6" * 64,
        lapses_us=world.clock_us + DAY_US,
    )
    name = world.say(seal, "ada")
    world.approve(name, "bo", "cy")
    world.anchor()
    return name


def test_what_is_sealed_is_counted_and_dated_and_no_more(tmp_path: Path) -> None:
    world = World()
    sealed(world)
    front = (site_of(world, tmp_path) / "index.html").read_text()
    assert "1 sealed decision, to be opened:" in front
    assert CELL not in text_of(tmp_path / "site")


def lists(world: World, counts: list[int]) -> None:
    for version, count in enumerate(counts, world_version(world) + 1):
        act = PutList(list="kits", version=version, count=count, root=f"{count:064x}")
        world.pass_change(act, request=world.request(()))


def world_version(world: World) -> int:
    layers = world.now.layers.get("list:kits", ())
    return max((layer.act.version for layer in layers if isinstance(layer.act, PutList)), default=0)


@pytest.mark.parametrize("unit", [1, 3, 9])
def test_a_unit_that_joins_a_list_does_not_show_on_successive_editions(
    tmp_path: Path, unit: int
) -> None:
    """The attack: read the page before and after, and subtract."""
    world = World()
    lists(world, [137])
    before = (site_of(world, tmp_path) / "index.html").read_text()
    lists(world, [137 + unit])
    site = site_of(world, tmp_path)
    after = (site / "index.html").read_text()
    found = re.findall(r"kits: [^<]+", before), re.findall(r"kits: [^<]+", after)
    assert found[0] == found[1] == ["kits: about 100 terminals"]
    assert f"{137 + unit}" not in re.sub(r"[0-9a-f]{16,}", "", text_of(site))
    # With k = 1 the same subtraction gives the unit's strength.
    exact = [dict(list_counts(world.now, 1))["kits"] - 137, unit]
    assert exact[0] == exact[1]


def test_differencing_editions_finds_no_unit_in_any_history() -> None:
    """Seeded histories of a list among which small units come and go; the attacker subtracts."""
    draw = random.Random(26_112_025)
    found = {1: 0, LEAST: 0}
    trials = 2_000
    for _ in range(trials):
        base, unit = draw.randrange(5, 3_000), draw.randrange(1, LEAST)
        true = [base, base + unit, base, base + unit]
        for least in found:
            shown = shown_counts(true, least)
            steps = {b - a for a, b in itertools.pairwise(shown)}
            found[least] += steps != {0}
    assert found[1] == trials
    assert found[LEAST] == 0


@given(st.integers(0, 5_000), st.lists(st.integers(-9, 9), max_size=40), st.integers(2, 20))
def test_small_steps_from_anywhere_show_only_once_they_add_up(
    start: int, steps: list[int], least: int
) -> None:
    """Whenever a shown count moves, at least k came or went since it was last set."""
    true = [start]
    for step in steps:
        true.append(max(0, true[-1] + step))
    shown = shown_counts(true, least)
    set_at = 0
    for number in range(1, len(true)):
        if shown[number] != shown[number - 1]:
            low = shown[number - 1]
            beyond = max(low - true[number], true[number] - low)
            assert beyond >= least
            set_at = number
    assert set_at < len(true)
    assert all(each == 0 or each >= least for each in shown)


def test_counts_in_words_are_coarse() -> None:
    assert count_words(shown_counts([9])[0]) == "fewer than 10"
    assert count_words(shown_counts([10])[0]) == "about 10"
    assert count_words(shown_counts([1_999])[0]) == "about 1,000"


def counted(world: World, terminals: int, by: str = "edge") -> None:
    seen = LossSeen(where="UA", terminals=terminals, protected=3, within_s=60)
    world.say(Observation(by=by, at_us=world.clock_us, seen=seen), "rex")
    world.anchor()


def told_losses(site: Path) -> list[str]:
    page = (site / "territory" / "UA.html").read_text()
    return re.findall(r": ([a-z0-9, ]+) terminals lost service", page)


@pytest.mark.parametrize("again", ["edge", "another-edge"])
def test_two_observed_counts_that_straddle_a_rung_tell_no_small_difference(
    tmp_path: Path, again: str
) -> None:
    """The attack: three terminals lie between two observations of one ground."""
    world = World()
    world.request(("UA",))
    world.anchor()
    counted(world, 98)
    before = told_losses(site_of(world, tmp_path))
    counted(world, 101, again)
    after = told_losses(site_of(world, tmp_path))
    assert before == ["about 50"]
    assert after == ["about 50", "about 50"]
    # Each count rounded by itself gives the three away.
    assert [shown_counts([true])[0] for true in (98, 101)] == [50, 100]


def test_losses_are_told_coarsely_and_only_beside_each_other(tmp_path: Path) -> None:
    world = World()
    world.request(("UA",))
    world.anchor()
    counted(world, 137)
    site = site_of(world, tmp_path)
    shown = re.sub(r"[0-9a-f]{16,}", "", text_of(site))
    assert told_losses(site) == ["about 100"]
    assert "137" not in shown
    assert "137 terminals" not in (site / "feed.atom").read_text()


# -- feeds


ATOM = "{http://www.w3.org/2005/Atom}"


def test_the_atom_feed_is_one_by_the_rfc(
    played: Episodes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_on_disk(played.world, tmp_path / "record")
    source = ("--source", str(tmp_path / "record"))
    base = ("--base-url", "https://log.example/site")
    assert main(["feed", "--format", "atom", *source, *base]) == 0
    root = ElementTree.fromstring(capsys.readouterr().out)
    assert root.tag == f"{ATOM}feed"
    # RFC 4287, 4.1.1 and 4.1.2: what a feed and an entry must have, once.
    for each in (root, *root.findall(f"{ATOM}entry")):
        for needed in ("id", "title", "updated"):
            assert len(each.findall(f"{ATOM}{needed}")) == 1
    assert root.findall(f"{ATOM}author/{ATOM}name")
    ids = [each.findtext(f"{ATOM}id") for each in root.findall(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids) > 80
    assert all(name and name.startswith("urn:spotbeam:") for name in ids)
    updated = [each.findtext(f"{ATOM}updated") or "" for each in root.findall(f"{ATOM}entry")]
    assert updated == sorted(updated, reverse=True)
    assert root.findtext(f"{ATOM}updated") == updated[0]
    links = [each.find(f"{ATOM}link") for each in root.findall(f"{ATOM}entry")]
    assert all(
        x is not None and x.get("href", "").startswith("https://log.example/") for x in links
    )


def test_the_json_feed_says_the_same(
    played: Episodes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_on_disk(played.world, tmp_path / "record")
    source = ("--source", str(tmp_path / "record"))
    assert main(["feed", "--format", "json-feed", *source]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert {"id", "url", "content_text", "date_published", "title"} <= set(document["items"][0])
    assert main(["feed", *source, "--since", "70"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(int(re.findall(r"entry (\d+)", line)[0]) >= 70 for line in lines if "entry" in line)


def test_items_keep_their_ids_as_the_record_grows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ids(world: World) -> Callable[[], list[str]]:
        put_on_disk(world, tmp_path / "record")
        main(["feed", "--json", "--source", str(tmp_path / "record")])
        return [each["id"] for each in json.loads(capsys.readouterr().out)]  # type: ignore[return-value]

    world = with_parties(World())
    world.pass_change()
    before = ids(world)
    world.request(("UA",))
    world.anchor()
    assert set(before) < set(ids(world))  # type: ignore[arg-type]
