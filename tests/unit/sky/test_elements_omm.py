"""OMM in JSON, CSV, XML and KVN: fields, faults, and that damage costs one set."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from spotbeam.errors import ElementsError, UnknownName
from spotbeam.sky.elements import COLUMNS, ElementSets, ElementsReport, parse_elements
from spotbeam.times import parse_time

Fields = dict[str, object]

ONE: Fields = {
    "OBJECT_NAME": "STARLINK-1007",
    "OBJECT_ID": "2019-074A",
    "EPOCH": "2024-05-20T13:33:20.193984",
    "MEAN_MOTION": 15.06388316,
    "ECCENTRICITY": 0.0001793,
    "INCLINATION": 53.0548,
    "RA_OF_ASC_NODE": 261.0513,
    "ARG_OF_PERICENTER": 106.2162,
    "MEAN_ANOMALY": 253.9024,
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 44713,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 24955,
    "BSTAR": 0.00031796,
    "MEAN_MOTION_DOT": 4.456e-05,
    "MEAN_MOTION_DDOT": 0,
}
TWO: Fields = ONE | {
    "OBJECT_NAME": "ISS {ZARYA} [A]",
    "NORAD_CAT_ID": 100404,
    "INCLINATION": 51.6,
    "BSTAR": -0.25,
}
THREE: Fields = ONE | {"OBJECT_NAME": 'THE "B" & <C>', "NORAD_CAT_ID": 799501621, "MEAN_MOTION": 1}


def to_json(sets: list[Fields]) -> str:
    return json.dumps(sets, separators=(",", ":"))


def to_pretty_json(sets: list[Fields]) -> str:
    return "[\n" + ",\n".join(json.dumps(fields, indent=0) for fields in sets) + "\n]\n"


def to_csv(sets: list[Fields]) -> str:
    def value(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text

    lines = [",".join(sets[0])]
    lines += [",".join(value(str(item)) for item in fields.values()) for fields in sets]
    return "\r\n".join(lines) + "\r\n"


def to_kvn(sets: list[Fields]) -> str:
    lines = []
    for fields in sets:
        lines += ["CCSDS_OMM_VERS      = 2.0", "CREATION_DATE       =", "ORIGINATOR          =", ""]
        lines += [f"{key:<19} = {value}" for key, value in fields.items()] + [""]
    return "\n".join(lines)


def to_xml(sets: list[Fields]) -> str:
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<ndm>\n'
    for fields in sets:
        text += '<omm id="CCSDS_OMM_VERS" version="2.0">\n<header/><body><segment><data>\n'
        for key, value in fields.items():
            written = str(value).replace("&", "&amp;").replace("<", "&lt;")
            text += f"<{key}>{written}</{key}>\n"
        text += "</data></segment></body>\n</omm>\n"
    return text + "</ndm>\n"


WRITERS: dict[str, Callable[[list[Fields]], str]] = {
    "json": to_json,
    "pretty": to_pretty_json,
    "csv": to_csv,
    "kvn": to_kvn,
    "xml": to_xml,
}
every_format = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())


def parsed(text: str | bytes) -> tuple[ElementSets, ElementsReport]:
    elements, report = parse_elements(text, source="file")
    assert report.read == report.kept + report.skipped + report.duplicates
    assert report.kept == len(elements)
    return elements, report


def row_of(elements: ElementSets, number: int) -> tuple[object, ...]:
    row = elements.catalogue_number.tolist().index(number)
    columns = tuple(getattr(elements, column)[row] for column in COLUMNS)
    return (*columns, elements.name[row], elements.international_designator[row])


@every_format
def test_sets_are_read(write: Callable[[list[Fields]], str]) -> None:
    elements, report = parsed(write([ONE, TWO, THREE]))
    assert report.faults == ()
    assert elements.catalogue_number.tolist() == [44713, 100404, 799501621]
    assert elements.name == ("STARLINK-1007", "ISS {ZARYA} [A]", 'THE "B" & <C>')
    assert elements.international_designator == ("2019-074A",) * 3
    assert set(elements.epoch_us.tolist()) == {parse_time("2024-05-20T13:33:20.193984Z")}
    assert elements.mean_motion_rev_day.tolist() == [15.06388316, 15.06388316, 1.0]
    assert elements.eccentricity.tolist() == [0.0001793] * 3
    assert elements.inclination_deg.tolist() == [53.0548, 51.6, 53.0548]
    assert elements.raan_deg.tolist() == [261.0513] * 3
    assert elements.argument_of_perigee_deg.tolist() == [106.2162] * 3
    assert elements.mean_anomaly_deg.tolist() == [253.9024] * 3
    assert elements.bstar.tolist() == [0.00031796, -0.25, 0.00031796]
    assert elements.mean_motion_dot_rev_day2.tolist() == [4.456e-05] * 3
    assert elements.mean_motion_ddot_rev_day3.tolist() == [0.0] * 3


WRONG = [
    ("MEAN_MOTION", "NaN"),
    ("MEAN_MOTION", "Infinity"),
    ("MEAN_MOTION", "1e999"),
    ("MEAN_MOTION", "0"),
    ("MEAN_MOTION", "-1"),
    ("MEAN_MOTION", "20.0001"),
    ("MEAN_MOTION", "1_5.0"),
    ("MEAN_MOTION", "١٥"),
    ("MEAN_MOTION", "fifteen"),
    ("ECCENTRICITY", "1"),
    ("ECCENTRICITY", "-0.0001"),
    ("INCLINATION", "180.0001"),
    ("INCLINATION", "-1"),
    ("RA_OF_ASC_NODE", "360.1"),
    ("ARG_OF_PERICENTER", "-361"),
    ("MEAN_ANOMALY", "1e6"),
    ("BSTAR", "nan"),
    ("MEAN_MOTION_DOT", "inf"),
    ("MEAN_MOTION_DDOT", "-inf"),
    ("NORAD_CAT_ID", "A0404"),
    ("NORAD_CAT_ID", "1000000000"),
    ("NORAD_CAT_ID", "25544.0"),
    ("NORAD_CAT_ID", "0"),
    ("NORAD_CAT_ID", "-5"),
    ("EPOCH", "2024-02-30T00:00:00"),
    ("EPOCH", "2023-366T00:00:00"),
    ("EPOCH", "2024-05-20T24:00:00"),
    ("EPOCH", "2024-05-20T13:60:00"),
    ("EPOCH", "2024-05-20T13:33:60"),
    ("EPOCH", "2024-5-20T13:33:20"),
    ("EPOCH", "2024-05-20 13:33:20"),
    ("EPOCH", "2024-05-20T13:33:20+00:00"),
    ("EPOCH", "20240520T133320"),
    ("EPOCH", "1024-05-20T13:33:20"),
    ("EPOCH", "26263.52959654"),
    ("EPHEMERIS_TYPE", "4"),
    ("EPHEMERIS_TYPE", "1"),
    ("MEAN_ELEMENT_THEORY", "SGP4-XP"),
    ("MEAN_ELEMENT_THEORY", "DSST"),
    ("REF_FRAME", "EME2000"),
    ("TIME_SYSTEM", "TAI"),
    ("CENTER_NAME", "MOON"),
]


@every_format
@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_value_costs_its_set_and_is_named(
    write: Callable[[list[Fields]], str], field: str, value: str
) -> None:
    places = {"REF_FRAME": "TEME", "TIME_SYSTEM": "UTC", "CENTER_NAME": "EARTH"}
    around = [one | places | {"MEAN_ELEMENT_THEORY": "SGP4"} for one in (ONE, TWO, THREE)]
    around[1][field] = value
    text = write(around)
    elements, report = parsed(text)
    assert elements.catalogue_number.tolist() == [44713, 799501621]
    (fault,) = report.faults
    assert (fault.effect, fault.field, fault.value) == ("skipped", field, value)
    line = text.split("\n")[fault.line - 1]
    assert (value if value.isascii() or write in (to_csv, to_kvn, to_xml) else "\\u") in line
    assert field in line or write in (to_json, to_csv)
    if field != "NORAD_CAT_ID":
        assert fault.catalogue_number == 100404


@every_format
@pytest.mark.parametrize(
    "field",
    [key for key in ONE if not key.startswith(("OBJECT", "CLASS", "ELEMENT", "REV"))],
)
def test_a_missing_field_is_named_but_optional_ones_are_not_missed(
    write: Callable[[list[Fields]], str], field: str
) -> None:
    broken = {key: value for key, value in TWO.items() if key != field}
    if write is to_csv:
        broken = TWO | {field: ""}
    elements, report = parsed(write([ONE, broken, THREE]))
    if field in ("MEAN_MOTION_DDOT", "EPHEMERIS_TYPE"):
        assert (len(elements), report.faults) == (3, ())
        assert elements.mean_motion_ddot_rev_day3[1] == 0
    else:
        assert len(elements) == 2
        (fault,) = report.faults
        assert fault.field == field
        assert fault.reason.startswith("missing")


@pytest.mark.parametrize(
    ("epoch", "time"),
    [
        # CCSDS 502.0-B-3: annex G, table 4-1, and what section 7.5.10 allows
        ("2020-064T10:34:41.4264", "2020-03-04T10:34:41.4264Z"),
        ("2020-065T16:00:00", "2020-03-05T16:00:00Z"),
        ("2002-204T15:56:23Z", "2002-07-23T15:56:23Z"),
        ("2001-11-06T11:17:33", "2001-11-06T11:17:33Z"),
        ("2026-09-20T12:42:37.141056", "2026-09-20T12:42:37.141056Z"),
        ("2026-09-20T12:42:37.1410564", "2026-09-20T12:42:37.141056Z"),
        ("2026-09-20T12:42:37.1410565", "2026-09-20T12:42:37.141057Z"),
        ("2026-09-20T12:42:59.9999999", "2026-09-20T12:43:00Z"),
        ("2016-12-31T23:59:60", "2017-01-01T00:00:00Z"),
        ("2024-366T00:00:00", "2024-12-31T00:00:00Z"),
        ("1957-10-04T19:28:34", "1957-10-04T19:28:34Z"),
    ],
)
def test_epoch_forms(epoch: str, time: str) -> None:
    elements, _ = parsed(to_kvn([ONE | {"EPOCH": epoch}]))
    assert int(elements.epoch_us[0]) == parse_time(time)


@pytest.mark.parametrize("value", [True, None, [15.0], [], "", "x", 10**400])
def test_json_values_of_a_wrong_type(value: object) -> None:
    elements, report = parsed(to_json([ONE, TWO | {"MEAN_MOTION": value}, THREE]))
    assert len(elements) == 2
    assert report.faults[0].field == "MEAN_MOTION"


@pytest.mark.parametrize(
    ("field", "value"),
    [("OBJECT_NAME", 5), ("EPOCH", 20240520), ("NORAD_CAT_ID", 5.0), ("NORAD_CAT_ID", True)],
)
def test_json_keywords_of_a_wrong_type(field: str, value: object) -> None:
    elements, report = parsed(to_json([ONE, TWO | {field: value}, THREE]))
    assert len(elements) == 2
    assert (report.faults[0].field, report.faults[0].value) == (field, repr(value))


def test_json_numbers_as_text_as_space_track_writes_them() -> None:
    as_text = {key: str(value) for key, value in TWO.items()}
    both, report = parsed(to_json([TWO, as_text]))
    assert len(both) == 1
    assert report.duplicates == 1
    assert row_of(both, 100404) == row_of(parsed(to_json([TWO]))[0], 100404)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_json_constants_that_are_no_json(constant: str) -> None:
    text = to_pretty_json([ONE, TWO, THREE]).replace('"BSTAR": -0.25', f'"BSTAR": {constant}')
    elements, report = parsed(text)
    assert len(elements) == 2
    (fault,) = report.faults
    assert (fault.field, fault.value) == ("BSTAR", constant)


def test_a_duplicate_json_key_is_reported_at_its_second_line() -> None:
    text = to_pretty_json([ONE, TWO, THREE])
    text = text.replace('"BSTAR": -0.25,', '"BSTAR": -0.25,\n"BSTAR": 0.5,')
    elements, report = parsed(text)
    assert elements.catalogue_number.tolist() == [44713, 799501621]
    (fault,) = report.faults
    assert (fault.field, fault.value, fault.reason) == ("BSTAR", "0.5", "stands twice in one set")
    assert text.split("\n")[fault.line - 1] == '"BSTAR": 0.5,'


@pytest.mark.parametrize(
    "layout",
    [
        "{0}",
        "{0}\n{1}\n{2}",
        "\ufeff[{0},{1},{2}]",
        "[{0}\n,\n{1},{2},]",
        '{{"page": 1, "sets": [{0},{1},{2}]}}',
    ],
)
def test_json_layouts(layout: str) -> None:
    text = layout.format(*(json.dumps(fields) for fields in (ONE, TWO, THREE)))
    elements, _ = parsed(text)
    assert len(elements) == (3 if "{1}" in layout else 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"EPOCH": "2024', '"EPOCH: "2024'),
        ('"EPOCH": "2024', '"EPOCH": 2024'),
        ('"EPOCH": "2024', '"EPOCH" "2024'),
        ('"EPOCH": "2024', '"EPOCH": {"2024'),
        ('"EPOCH": "2024', '"EPOCH": "20\t24'),
        ('"EPOCH": "2024', "\x00\x00\x00\x00\x00"),
        ("{\n", "\n"),
        ("\n}", "\n"),
        ("\n}", "\n}}"),
        ("\n}", "\n]"),
    ],
)
@pytest.mark.parametrize("minified", [True, False])
def test_a_broken_object_in_the_middle_of_a_long_array_costs_that_one(
    old: str, new: str, minified: bool
) -> None:
    sets = [ONE | {"NORAD_CAT_ID": number} for number in range(1000, 1400)]
    objects = [json.dumps(fields, indent=0) for fields in sets]
    objects[200] = objects[200].replace(old, new)
    text = "[\n" + ",\n".join(objects) + "\n]"
    line = text[: text.index(objects[200])].count("\n") + 1
    if minified:
        text = text.replace("\n", "")
    elements, report = parsed(text)
    lost = {fields["NORAD_CAT_ID"] for fields in sets} - set(elements.catalogue_number.tolist())
    assert lost <= {1200}
    assert report.faults
    if lost:
        (fault,) = report.faults
        assert fault.effect == "skipped"
        assert fault.catalogue_number == 1200
        assert minified or line <= fault.line <= line + 20


@every_format
def test_a_flipped_bit_costs_one_set_and_changes_no_other(
    write: Callable[[list[Fields]], str],
) -> None:
    sets = [
        ONE | {"OBJECT_NAME": f"S-{number}", "NORAD_CAT_ID": number}
        for number in (11111, 22222, 33333, 44444)
    ]
    data = write(sets).encode()
    whole, _ = parsed(data)
    # the header of a CSV file and the declaration of an XML file belong to all sets
    start = data.index(b"\n") + 1 if write in (to_csv, to_xml) else 0
    bits = random.Random(0).sample(range(8 * start, 8 * len(data)), 4000)
    for bit in bits:
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        elements, report = parsed(bytes(flipped))
        same = sum(
            number in whole.catalogue_number.tolist()
            and row_of(elements, number) == row_of(whole, number)
            for number in elements.catalogue_number.tolist()
        )
        assert same >= 3, bit
        assert len(elements) == 4 or report.skipped or report.duplicates, bit


@every_format
def test_a_file_cut_anywhere_keeps_what_is_whole(write: Callable[[list[Fields]], str]) -> None:
    sets = [ONE | {"NORAD_CAT_ID": number} for number in (11111, 22222, 33333)]
    text = write(sets)
    second = text.index("22222")
    for cut in range(second, len(text)):
        elements, report = parsed(text[:cut])
        kept = elements.catalogue_number.tolist()
        assert kept[0] == 11111, cut
        assert kept == [11111, 22222, 33333][: len(kept)], cut
        if write in (to_json, to_pretty_json):
            assert report.faults or text[cut:].strip() == "", cut
            assert len(kept) == text[:cut].count("}"), cut
        if write is to_xml:
            assert len(kept) == text[:cut].count("</omm>"), cut


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<BSTAR>-0.25</BSTAR>", "<BSTAR>-0.25<BSTAR>", "is not XML"),
        ("<BSTAR>-0.25", "<BSTAR>-0.25&nbsp;", "is not XML"),
        ("<BSTAR>-0.25", "<BSTAR>-0.25</BSTAR><BSTAR>1", "stands twice"),
        ("<BSTAR>-0.25", "<BSTAR><x/>-0.25", "holds another element"),
        ("<BSTAR>", '<BSTAR units="m**2/kg">', "must be in 1/er"),
        ("</omm>", "</omn>", "is not closed"),
        ('<omm id="CCSDS_OMM_VERS" version="2.0">', "<onm>", "has lost its opening tag"),
        ("</omm>", "</omm>junk", "stray text"),
    ],
)
def test_damaged_xml(old: str, new: str, reason: str) -> None:
    head, middle, tail = (to_xml([fields]) for fields in (ONE, TWO, THREE))
    middle = middle[middle.index("<omm") : middle.index("</ndm>")]
    text = head.replace("</ndm>\n", "") + middle.replace(old, new) + tail[tail.index("<omm") :]
    elements, report = parsed(text)
    (fault,) = report.faults
    assert reason in fault.reason
    assert elements.catalogue_number.tolist() == (
        [44713, 799501621] if fault.effect == "skipped" else [44713, 100404, 799501621]
    )
    assert fault.line in range(24, 49)


def test_xml_with_units_prefixes_and_namespaces() -> None:
    text = to_xml([ONE, TWO]).replace("<MEAN_MOTION>", '<MEAN_MOTION units="rev/day">')
    text = text.replace("<omm ", '<omm xmlns:u="urn:x" ').replace("<ndm>", '<ndm xmlns="urn:y">')
    prefixed = text.replace("</", "</\0").replace("<", "<n:").replace("<n:/\0", "</n:")
    prefixed = prefixed.replace("<n:?", "<?")
    for written in (text, prefixed):
        elements, report = parsed(written)
        assert elements.catalogue_number.tolist() == [44713, 100404]
        assert report.faults == ()


def test_xml_that_declares_entities_is_refused() -> None:
    bomb = '<!DOCTYPE n [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    text = to_xml([ONE]).replace("<ndm>", bomb + "<ndm>").replace("STARLINK-1007", "&b;")
    with pytest.raises(ElementsError, match="document type"):
        parsed(text)


def test_kvn_variants() -> None:
    text = to_kvn([ONE, TWO]).replace(
        "CREATION_DATE       =", "CREATION_DATE = 2024-05-21T00:00:00"
    )
    text = text.replace("ORIGINATOR          =", "COMMENT x = y\nORIGINATOR=18 SDS")
    text = text.replace("15.06388316", "+1.506388316e1 [rev/day]").replace(
        "53.0548", "53.0548[deg]"
    )
    text = text.replace("44713", "+044713").replace("\nEPOCH ", "\n  EPOCH\t")
    elements, report = parsed(text.replace("\n", "\r\n"))
    plain, _ = parsed(to_kvn([ONE, TWO]))
    assert report.faults == ()
    for number in (44713, 100404):
        assert row_of(elements, number) == row_of(plain, number)
    assert elements.provenance is not None
    assert elements.provenance.originator == "18 SDS"
    assert elements.provenance.creation_date == "2024-05-21T00:00:00"


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("= -0.25", "- -0.25", "", "is not KEYWORD = value"),
        ("= 51.6", "= 51.6 [rad]", "INCLINATION", "must be in deg"),
        ("= -0.25", "= -0.25\nBSTAR = 1", "BSTAR", "stands twice"),
    ],
)
def test_damaged_kvn(old: str, new: str, field: str, reason: str) -> None:
    text = to_kvn([ONE, TWO, THREE]).replace(old, new)
    elements, report = parsed(text)
    assert elements.catalogue_number.tolist() == [44713, 799501621]
    (fault,) = report.faults
    assert fault.field == field
    assert reason in fault.reason
    assert fault.value in text.split("\n")[fault.line - 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("NORAD_CAT_ID", "NORAD_CAT_IE", r"no column NORAD_CAT_ID\n.*'NORAD_CAT_IE'"),
        ("ECCENTRICITY", "EPOCH", "EPOCH stands twice"),
        ("OBJECT_NAME", '"OBJECT_NAME', "the header is not CSV"),
    ],
)
def test_a_broken_csv_header_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ElementsError, match=message) as caught:
        parsed(to_csv([ONE, TWO]).replace(old, new, 1))
    assert "file, line 1" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (",-0.25,", ",-0.25,,", "has 18 values where the header has 17"),
        (",-0.25,", "-0.25,", "has 16 values where the header has 17"),
        (",-0.25,", ',-0.25",', "is not a number"),
        ('"ISS', '"IS"S', "is not CSV"),
        (",-0.25,", ',"-0.25,', "is not CSV"),
    ],
)
def test_a_damaged_csv_row_costs_that_row(old: str, new: str, reason: str) -> None:
    two = TWO | {"OBJECT_NAME": "ISS, ZARYA"}
    text = to_csv([ONE, two, THREE]).replace(old, new)
    elements, report = parsed(text)
    assert elements.catalogue_number.tolist() == [44713, 799501621]
    (fault,) = report.faults
    assert fault.line == 3
    assert reason in fault.reason


@every_format
def test_of_one_satellite_the_latest_epoch_is_kept(write: Callable[[list[Fields]], str]) -> None:
    newer = TWO | {"EPOCH": "2024-05-21T13:33:20", "BSTAR": 0.5}
    for sets in ([ONE, TWO, THREE, newer], [newer, ONE, THREE, TWO]):
        elements, report = parsed(write(sets))
        assert row_of(elements, 100404) == row_of(parsed(write([newer]))[0], 100404)
        assert (report.read, report.kept, report.duplicates) == (4, 3, 1)
        in_order = [fields["NORAD_CAT_ID"] for fields in sets if fields is not TWO]
        assert elements.catalogue_number.tolist() == in_order


def test_messages_hold_nothing_that_moves_a_cursor() -> None:
    evil = TWO | {"MEAN_MOTION": "\x1b[2J\r\n" + "9" * 500, "OBJECT_NAME": "\x1b]0;owned\x07"}
    elements, report = parsed(to_json([ONE | {"OBJECT_NAME": "A\x1bB"}, evil]))
    assert elements.name == ("A\ufffdB",)
    assert len(report.faults) == 2
    assert all(str(fault).isprintable() and len(str(fault)) < 250 for fault in report.faults)


def test_a_name_in_another_encoding_costs_no_set() -> None:
    data = to_csv([ONE, TWO]).encode().replace(b"STARLINK-1007", b"CAF\xc9")
    elements, report = parsed(data)
    assert elements.name[0] == "CAF\ufffd"
    (fault,) = report.faults
    assert (fault.effect, fault.field) == ("noted", "OBJECT_NAME")


@pytest.mark.parametrize("text", ["[]", "[{}]", '{"EPOCH": 1}', "<omm></omm>", "EPOCH = 1"])
def test_nothing_usable_is_an_error(text: str) -> None:
    with pytest.raises(ElementsError) as caught:
        parsed(text)
    assert caught.value.hint


def test_deep_nesting_and_endless_faults_end_in_an_error() -> None:
    with pytest.raises(ElementsError):
        parsed('{"EPOCH":' * 100_000)
    with pytest.raises(ElementsError, match=r"more than 100,000 faults"):
        parsed('[{"EPOCH":1}' + ",{}" * 100_001)


def test_utf16_and_an_unknown_format_are_named() -> None:
    with pytest.raises(ElementsError, match="UTF-16"):
        parsed(to_json([ONE]).encode("utf-16"))
    with pytest.raises(UnknownName, match=r"omm-jsn[\s\S]*omm-json"):
        parse_elements("x", source="file", format="omm-jsn")
