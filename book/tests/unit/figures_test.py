# SPDX-License-Identifier: GPL-2.0
"""The figures that the book draws itself: descriptors, rings, plots, and what they share."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from small_book import SmallBook  # noqa: E402
from ext import descriptor, drawing, loadplot, ring  # noqa: E402

TITLE = "Title\n=====\n\n"

HEADER = """
union igbook_rx_desc {
\tstruct {
\t\t__le64 pkt_addr;
\t\t__le64 hdr_addr;
\t} read;
\tstruct {
\t\t__le32 info;
\t\t__le32 rss;
\t\t__le32 status_error;
\t\t__le16 length;
\t\t__le16 vlan;
\t} wb;
};

/* union igbook_rx_desc, wb.status_error */
#define RXD_STA_DD\t\tBIT(0)\t/* descriptor done */
#define RXD_STA_EOP\t\tBIT(1)
#define RXD_ERR\t\tGENMASK(31, 20)\t/* what was wrong */

#define RXD_OTHER\t\tBIT(7)
"""


def slot(buffer: str = "A", given: bool = True, dd: bool = False) -> dict[str, Any]:
    """A descriptor as book/rings/record-ring writes it."""
    return {"buffer": buffer, "given": given, "dd": dd, "length": 60 if dd else 0}


def step(title: str, *slots: dict[str, Any], **pointers: int) -> dict[str, Any]:
    """A step of a recorded ring."""
    return {"title": title, "text": f"{title} happens.", "slots": list(slots), "head": 0, "tail": 0,
            "next_to_use": 0, "next_to_clean": 0, **pointers}


class DrawingTest(unittest.TestCase):
    """The picture's text"""

    def test_colours_follow_the_page_in_html_and_are_plain_in_the_pdf(self) -> None:
        self.assertEqual(drawing.coloured("fill:[lane]", standalone=False), "fill:var(--fwts-lane)")
        self.assertEqual(drawing.coloured("fill:[lane]", standalone=True), "fill:#eef1f5")

    def test_brackets_that_name_no_colour_stay(self) -> None:
        self.assertEqual(drawing.coloured("ring[0] [x]", standalone=True), "ring[0] [x]")

    def test_title_is_escaped(self) -> None:
        self.assertIn("<title>a &lt; b</title>", drawing.svg(10, 10, "a < b", "", ""))

    def test_every_colour_has_a_variable_in_both_grounds(self) -> None:
        css = (Path(drawing.__file__).parents[1] / "_static/book.css").read_text(encoding="utf-8")
        for name in drawing.COLOURS:
            self.assertEqual(css.count(f"--fwts-{name}:"), 3, name)


class DescriptorTest(unittest.TestCase):
    """What a header says"""

    def words(self) -> list[descriptor.Word]:
        return descriptor.words_of(HEADER, "igbook_rx_desc", "wb")

    def test_members_are_words_and_defines_their_fields(self) -> None:
        words = self.words()
        self.assertEqual([(w.name, w.bits) for w in words],
                         [("info", 32), ("rss", 32), ("status_error", 32), ("length", 16),
                          ("vlan", 16)])
        self.assertEqual([(f.name, f.high, f.low, f.meaning) for f in words[2].fields],
                         [("RXD_ERR", 31, 20, "what was wrong"), ("RXD_STA_EOP", 1, 1, ""),
                          ("RXD_STA_DD", 0, 0, "descriptor done")])
        self.assertEqual(words[0].fields, ())

    def test_rows_are_of_64_bits_with_the_highest_first(self) -> None:
        rows = descriptor.rows_of(self.words())
        self.assertEqual([[w.name for w in row] for row in rows],
                         [["rss", "info"], ["vlan", "length", "status_error"]])

    def test_gaps_between_fields_are_unnamed_parts(self) -> None:
        self.assertEqual(descriptor.parts_of(self.words()[2]),
                         [("ERR", 31, 20), ("", 19, 2), ("STA_EOP", 1, 1), ("STA_DD", 0, 0)])

    def test_unknown_union_and_form(self) -> None:
        with self.assertRaisesRegex(descriptor.Malformed, "no 'union nothing'"):
            descriptor.words_of(HEADER, "nothing", "wb")
        with self.assertRaisesRegex(descriptor.Malformed, "no form 'back'"):
            descriptor.words_of(HEADER, "igbook_rx_desc", "back")

    def test_words_for_those_who_cannot_see(self) -> None:
        said = descriptor.in_words(self.words())
        self.assertIn("status_error, 32 bits: RXD_ERR 31 to 20; RXD_STA_EOP 1; RXD_STA_DD 0", said)

    def test_every_name_is_drawn_within_the_picture(self) -> None:
        text = descriptor.draw(self.words(), "title")
        height = float(re.search(r'height="(\d+)"', text).group(1))  # type: ignore[union-attr]
        for name in ("rss", "vlan", "ERR", "STA_DD", "STA_EOP"):
            self.assertIn(f">{name}</text>", text)
        for x, y in re.findall(r'<text [^>]*x="([\d.]+)" y="([\d.]+)"', text):
            self.assertLess(float(x), descriptor.WIDTH)
            self.assertLess(float(y), height)


class RingTest(unittest.TestCase):
    """Whose a descriptor is, and where"""

    def test_owner(self) -> None:
        self.assertEqual(ring.kind_of(slot(given=False)), "free")
        self.assertEqual(ring.kind_of(slot()), "card")
        self.assertEqual(ring.kind_of(slot(dd=True)), "done")

    def test_first_descriptor_is_at_the_top_and_the_others_go_clockwise(self) -> None:
        x, y = ring.point(0, 10, 100, 100)
        self.assertEqual((round(x), round(y)), (100, 90))
        x, y = ring.point(3.14159 / 2, 10, 100, 100)
        self.assertEqual((round(x), round(y)), (110, 100))

    def test_state_in_words(self) -> None:
        state = step("x", slot("A", dd=True), slot("B"), slot("C", given=False), head=1, tail=2)
        self.assertTrue(ring.in_words(state).startswith("A! B ·   head 1, tail 2, "))

    def test_pointers_stand_at_their_descriptors(self) -> None:
        state = step("x", *[slot()] * 4, head=0, tail=2, next_to_use=2, next_to_clean=3)
        for index, names in enumerate((["head"], [], ["tail", "next_to_use"], ["next_to_clean"])):
            drawn = ring.draw_slot(state, index, 0, 0)
            self.assertEqual([n for _, n in ring.POINTERS if f">{n}</text>" in drawn], names)

    def test_steps_two_in_a_row(self) -> None:
        state = step("x", slot())
        text = ring.draw([(n, state) for n in (1, 2, 3)])
        self.assertIn(f'width="{2 * ring.WIDTH}" height="{2 * ring.HEIGHT}"', text)
        self.assertIn(f'width="{ring.WIDTH}"', ring.draw([(1, state)]))


class LoadPlotTest(unittest.TestCase):
    """Measurements become a plot"""

    ROWS = [{"driver": "06", "offered": 40000, "delivered": 30000},
            {"driver": "05", "offered": 20000, "delivered": 5000},
            {"driver": "05", "offered": 10000, "delivered": 10000}]

    def series(self) -> loadplot.Series:
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "m.json"
            file.write_text(json.dumps({"rows": self.ROWS}), encoding="utf-8")
            return loadplot.read(file)

    def test_rows_by_driver_in_the_order_of_what_was_offered(self) -> None:
        series = self.series()
        self.assertEqual([row["offered"] for row in series["05"]], [10000, 20000])

    def test_grid_is_round_and_not_dense(self) -> None:
        for top in (3000, 41600, 99000, 800000):
            self.assertLessEqual(top / loadplot.step_of(top), 7)
        self.assertEqual(loadplot.step_of(41600), 10000)

    def test_words_name_each_point(self) -> None:
        self.assertIn("stage 05: 10 offered, 10 delivered, 20 offered, 5 delivered",
                      loadplot.in_words(self.series()))

    def test_more_delivered_is_higher_and_all_points_are_inside(self) -> None:
        text = loadplot.draw(self.series())
        points = {(float(x), float(y)) for x, y in
                  re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', text)}
        self.assertEqual(len(points), 3)
        for x, y in points:
            self.assertTrue(loadplot.LEFT <= x <= loadplot.WIDTH - loadplot.RIGHT)
            self.assertTrue(loadplot.TOP <= y <= loadplot.HEIGHT - loadplot.BOTTOM)
        by_x = [y for _, y in sorted(points)]
        self.assertLess(by_x[0], by_x[1])
        self.assertLess(by_x[2], by_x[0])

    def test_drivers_are_named(self) -> None:
        self.assertEqual((loadplot.title_of("05"), loadplot.title_of("igb")), ("stage 05", "igb"))


class FigureTest(SmallBook):
    """The directives in a book"""

    RING = ".. ring:: rx\n   :steps: 2\n   :name: fig-rx\n\n   A *small* ring.\n"
    STEPS = {"steps": [step("Ready", slot("A"), slot("B", given=False)),
                       step("A frame <came>", slot("A", dd=True), slot("B", given=False))]}

    def test_ring_shows_the_chosen_step_and_lists_all(self) -> None:
        self.write("rings/rx.json", json.dumps(self.STEPS))
        page = self.build({"index.rst": TITLE + self.RING + "\n:numref:`fig-rx`\n"}, numfig=True)
        self.assertEqual(self.warnings, "")
        figure = page[:page.index('ring-steps')]
        self.assertIn("2. A frame &lt;came&gt;</text>", figure)
        self.assertNotIn("1. Ready</text>", figure)
        self.assertIn("<em>small</em>", page)
        self.assertEqual(page.count("<template>"), 2)
        self.assertIn('aria-label="step 2: A! ·', page)

    def test_ring_tells_each_step_in_its_own_line_on_paper(self) -> None:
        self.write("rings/rx.json", json.dumps(self.STEPS))
        tex = self.build({"index.rst": TITLE + self.RING}, "latex")
        self.assertIn(r"\newline \sphinxcode{\sphinxupquote{A ·}}\quad head 0", tex)
        self.assertNotIn("Verbatim", tex[tex.index("Ready"):])

    def test_missing_ring_is_a_warning_that_says_how(self) -> None:
        self.build({"index.rst": TITLE + self.RING})
        self.assertIn("no ring 'rx'; record it: book/rings/record-ring", self.warnings)

    def test_figure_without_a_caption_is_an_error(self) -> None:
        self.write("rings/rx.json", json.dumps(self.STEPS))
        self.build({"index.rst": TITLE + ".. ring:: rx\n"})
        self.assertIn('Content block expected for the "ring" directive', self.warnings)

    def test_descriptor_becomes_a_pdf_for_latex(self) -> None:
        tex = self.build({"index.rst": TITLE + ".. descriptor:: igbook_rx_desc wb\n\n   Words.\n"},
                         "latex")
        self.assertEqual(self.warnings, "")
        self.assertIn("{{descriptor-igbook_rx_desc-wb}.pdf}", tex)
        made = self.root / "out/latex/descriptor-igbook_rx_desc-wb.pdf"
        self.assertEqual(made.read_bytes()[:5], b"%PDF-")

    def test_unknown_descriptor_is_a_warning(self) -> None:
        self.build({"index.rst": TITLE + ".. descriptor:: nothing wb\n\n   Words.\n"})
        self.assertIn("igbook_desc.h has no 'union nothing'", self.warnings)

    def test_plot_is_drawn_from_the_measurement(self) -> None:
        self.write("measurements/m.json", json.dumps({"rows": LoadPlotTest.ROWS}))
        page = self.build({"index.rst": TITLE + ".. load-plot:: m\n\n   A *plot*.\n"})
        self.assertEqual(self.warnings, "")
        self.assertIn("stage 06: 40 offered, 30 delivered", page)
        self.assertIn("<em>plot</em>", page)

    def test_missing_measurement_is_a_warning(self) -> None:
        self.build({"index.rst": TITLE + ".. load-plot:: m\n\n   A plot.\n"})
        self.assertIn("no measurement 'm'", self.warnings)


if __name__ == "__main__":
    unittest.main()
