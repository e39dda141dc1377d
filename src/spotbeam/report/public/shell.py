"""What every public page has around its content. No script, no request to anybody else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

import msgspec

from spotbeam.report.page.markup import Markup, join, listing, safe, tag, void

STYLE = "style.css"
POLICY = "witness-policy.txt"


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """Which record a site shows, and as far as where.

    Attributes:
        witnessed: When witnesses signed it, RFC 3339.
        view: Point of view on borders.
        genesis: Digest of entry 0, in hexadecimal.
        record: Where a copy of the record lies, relative to the site's root; None: not here.
    """

    origin: str
    size: int
    root: str
    witnessed: str
    view: str
    genesis: str
    signed_by: tuple[str, ...] = ()
    record: str | None = None


def page(edition: Edition, title: str, *content: object, up: str = "") -> str:
    """A page of the site.

    Args:
        edition: Shown at the foot.
        title: Its heading.
        content: What stands below the heading.
        up: The way from the page to the site's root, as `../`.
    """
    style = void("link", rel="stylesheet", href=f"{up}{STYLE}")
    policy = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'"
    feeds = (
        void("link", rel="icon", href="data:,"),
        void("link", rel="alternate", type="application/atom+xml", href=f"{up}feed.atom"),
        void("link", rel="alternate", type="application/feed+json", href=f"{up}feed.json"),
    )
    return _document(
        f"{title} · {edition.origin}",
        policy,
        join((style, *feeds), "\n"),
        join(
            (
                tag("a", "Skip to the content", href="#content", class_="skip"),
                _masthead(edition, up),
                tag("main", tag("h1", title), *content, id="content", tabindex="-1"),
                _foot(edition, up),
            ),
            "\n",
        ),
    )


def single(title: str, *content: object) -> str:
    """A page in one file, for printing and sending."""
    style = stylesheet()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'"
    body = tag("main", tag("h1", title), *content)
    return _document(title, policy, Markup(f"<style>{style}</style>"), body)


@cache
def stylesheet() -> str:
    """The one stylesheet."""
    return resources.files("spotbeam.report.public").joinpath("site.css").read_text("utf-8")


def _document(title: str, policy: str, more: Markup, body: Markup) -> str:
    head = join(
        (
            void("meta", charset="utf-8"),
            void("meta", http_equiv="Content-Security-Policy", content=policy),
            void("meta", name="viewport", content="width=device-width, initial-scale=1"),
            void("meta", name="color-scheme", content="light dark"),
            tag("title", title),
            more,
        ),
        "\n",
    )
    whole = tag(
        "html", "\n", tag("head", "\n", head, "\n"), "\n", tag("body", body), "\n", lang="en"
    )
    return f"<!doctype html>\n{whole}\n"


def _masthead(edition: Edition, up: str) -> Markup:
    pages = (
        ("Where it is on", "index.html"),
        ("Requests", "requests.html"),
        ("What is said", "accounts.html"),
        ("Who", "who.html"),
        ("Alerts", "alerts.html"),
        ("How to check", "how-to-check.html"),
    )
    links = listing(tag("a", name, href=f"{up}{path}") for name, path in pages)
    return tag(
        "header", tag("strong", edition.origin), tag("nav", links, aria_label="Pages of the record")
    )


def _foot(edition: Edition, up: str) -> Markup:
    return tag(
        "footer",
        tag(
            "p",
            safe(f"{edition.size:,} entries, witnessed {edition.witnessed}, root "),
            tag("code", edition.root),
            f". Borders in the point of view {edition.view}. ",
            tag("a", "Check it yourself", href=f"{up}how-to-check.html"),
            ".",
        ),
        tag(
            "p",
            "What stands later follows; nothing here says why. ",
            tag("a", "Atom", href=f"{up}feed.atom"),
            " · ",
            tag("a", "JSON Feed", href=f"{up}feed.json"),
            " · ",
            tag("a", "FollowTheMoney entities", href=f"{up}entities.ftm.jsonl"),
        ),
    )
