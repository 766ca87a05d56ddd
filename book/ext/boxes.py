# SPDX-License-Identifier: GPL-2.0
"""The book's boxes: exercises with their answers, and notes of a few fixed kinds.

An exercise and its answer are written side by side in the chapter.  The answer is taken out of
the chapter when it is read and put where ``.. answers::`` stands (the appendix), grouped by
chapter; box and answer link to each other.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.utils import new_document
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxSmartQuotes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.nodes import make_refnode

logger = logging.getLogger(__name__)

BOXES = {
    "hardware": "On real hardware",
    "tryit": "Try it",
    "watch": "Watch it and tune it",
}


class exercise_number(nodes.Inline, nodes.Element):
    """Stands for "Exercise 1.2" until section numbers are known."""


class exercise_ref(nodes.Inline, nodes.Element):
    """Stands for a link to an exercise or to its answer."""


class answers_here(nodes.General, nodes.Element):
    """Stands for all the answers of the book."""


def exercises_of(env: BuildEnvironment) -> dict[str, dict[str, Any]]:
    """Every exercise of the book by label: document, place in it, title, answer."""
    if not hasattr(env, "fwts_exercises"):
        env.fwts_exercises = {}  # type: ignore[attr-defined]
    return env.fwts_exercises  # type: ignore[attr-defined]


def answers_of(env: BuildEnvironment) -> dict[str, dict[str, Any]]:
    """Every answer of the book by the label of its exercise."""
    if not hasattr(env, "fwts_answers"):
        env.fwts_answers = {}  # type: ignore[attr-defined]
    return env.fwts_answers  # type: ignore[attr-defined]


class Box(SphinxDirective):
    """A note box with a fixed title: ``hardware``, ``tryit`` or ``watch``."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        title = BOXES[self.name]
        if self.arguments:
            title += ": " + self.arguments[0]
        self.assert_has_content()
        box = nodes.admonition(classes=["box", self.name])
        self.set_source_info(box)
        messages: list[nodes.system_message]
        parsed, messages = self.state.inline_text(title, self.lineno)
        box += nodes.title(title, "", *parsed)
        box += messages
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


class Lab(SphinxDirective):
    """A box that sends the reader to a lab: ``.. lab:: 01-registration``."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        number = name.split("-")[0]
        box = nodes.admonition(classes=["box", "lab"])
        self.set_source_info(box)
        box += nodes.title("", f"Lab {number}")
        self.state.nested_parse(self.content, self.content_offset, box)
        line = nodes.paragraph("", "Handout, skeleton and grader: ")
        line += nodes.literal("", f"labs/{name}/", classes=["file"])
        line += nodes.Text(". Begin with ")
        line += nodes.literal("", f"make skeleton L={number}", classes=["command"])
        line += nodes.Text(", and grade your solution with ")
        line += nodes.literal("", f"make grade L={number} S=your-folder", classes=["command"])
        line += nodes.Text(".")
        box += line
        return [box]


class Exercise(SphinxDirective):
    """An exercise, numbered within its chapter.

    ``.. exercise:: map-which-class`` names it; the option ``:title:`` gives it a title.
    """

    has_content = True
    required_arguments = 1
    option_spec = {"title": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        known = exercises_of(self.env)
        label = self.arguments[0]
        title = self.options.get("title", "")
        if label in known and known[label]["docname"] != self.env.docname:
            raise self.error(f"exercise: label '{label}' is taken by {known[label]['docname']}")
        place = 1 + sum(1 for e in known.values() if e["docname"] == self.env.docname)
        if label in known:
            raise self.error(f"exercise: label '{label}' is used twice in this chapter")
        anchor = f"exercise-{label}"
        known[label] = {"docname": self.env.docname, "place": place, "title": title,
                        "anchor": anchor}
        box = nodes.admonition(classes=["box", "exercise"], ids=[anchor])
        self.set_source_info(box)
        heading = nodes.title("", "", exercise_number(label=label))
        if title:
            parsed, _ = self.state.inline_text(title, self.lineno)
            heading += nodes.Text(": ")
            heading += parsed
        box += heading
        self.state.nested_parse(self.content, self.content_offset, box)
        box += nodes.paragraph("", "", exercise_ref(label=label, kind="answer"),
                               classes=["to-answer"])
        return [box]


class Answer(SphinxDirective):
    """The answer to an exercise; it appears in the appendix."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        label = self.arguments[0]
        answers = answers_of(self.env)
        if label in answers:
            raise self.error(f"answer: exercise '{label}' has an answer already")
        body = nodes.container(classes=["answer"])
        self.state.nested_parse(self.content, self.content_offset, body)
        # The text around it gets its quotation marks later, when this is no part of it any more.
        alone = new_document("", self.state.document.settings)
        alone += body
        SphinxSmartQuotes(alone, None).apply()
        answers[label] = {"docname": self.env.docname, "body": body, "line": self.lineno}
        return []


class Answers(SphinxDirective):
    """Where the answers of the whole book are put."""

    def run(self) -> list[nodes.Node]:
        self.env.fwts_answers_doc = self.env.docname  # type: ignore[attr-defined]
        return [answers_here()]


class ExerciseRole(SphinxRole):
    """``:exercise:`label```: "Exercise 1.2", linked."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        node = exercise_ref(label=self.text.strip(), kind="exercise")
        self.set_source_info(node)
        return [node], []


def number_of(env: BuildEnvironment, label: str) -> str:
    """"Exercise 1.2" where the chapter has a number, "Exercise 2" where it has none."""
    entry = exercises_of(env)[label]
    chapter = env.toc_secnumbers.get(entry["docname"], {}).get("", ())
    number = ".".join(str(n) for n in (*chapter, entry["place"]))
    return f"Exercise {number}"


class PlaceExercises(SphinxPostTransform):
    """Fill in numbers, links and the appendix of answers, before references are resolved."""

    default_priority = 4

    def run(self, **kwargs: Any) -> None:
        for here in list(self.document.findall(answers_here)):
            here.replace_self(self.all_answers())
        for number in list(self.document.findall(exercise_number)):
            number.replace_self(nodes.Text(number_of(self.env, number["label"])))
        for ref in list(self.document.findall(exercise_ref)):
            ref.replace_self(self.link(ref))

    def link(self, ref: nodes.Element) -> nodes.Node:
        label = ref["label"]
        exercises = exercises_of(self.env)
        if label not in exercises:
            logger.warning("no exercise has the label '%s'", label, location=ref,
                           type="fwts", subtype="missing")
            return nodes.Text(label)
        entry = exercises[label]
        docname, anchor = entry["docname"], entry["anchor"]
        text = number_of(self.env, label)
        if ref["kind"] == "answer":
            if label not in answers_of(self.env):
                return nodes.Text("")
            docname, anchor = getattr(self.env, "fwts_answers_doc", docname), f"answer-{label}"
            text = "Answer"
        builder = self.app.builder
        assert builder is not None
        link = make_refnode(builder, self.env.docname, docname, anchor, nodes.Text(text))
        if ref["kind"] == "answer":
            link["classes"].append("to-page")
        return link

    def all_answers(self) -> list[nodes.Node]:
        out: list[nodes.Node] = []
        builder = self.app.builder
        assert builder is not None
        paper = builder.format == "latex"
        entries = sorted(answers_of(self.env).items(), key=self.reading_order)
        chapter = ""
        for label, answer in entries:
            if label not in exercises_of(self.env):
                logger.warning("answer to an exercise that does not exist: '%s'", label,
                               location=(answer["docname"], answer["line"]),
                               type="fwts", subtype="missing")
                continue
            if answer["docname"] != chapter:
                chapter = answer["docname"]
                out.append(nodes.rubric("", self.env.titles[chapter].astext()))
            block = nodes.container(classes=["answer-block"], ids=[f"answer-{label}"])
            heading = nodes.strong("", "", exercise_ref(label=label, kind="exercise"))
            title = exercises_of(self.env)[label]["title"]
            if title:
                heading += nodes.Text(": " + title.replace("``", ""))
            body = answer["body"].deepcopy()
            if paper and isinstance(body[0], nodes.paragraph):
                # A line of its own might be left alone at the foot of a page.
                heading += nodes.Text("" if heading.astext().endswith("?") else ".")
                body[0].insert(0, [heading, nodes.Text(" ")])
            else:
                block += nodes.paragraph("", "", heading)
            block += body
            out.append(block)
        return out or [nodes.paragraph("", "There are no answers yet.")]

    def reading_order(self, item: tuple[str, dict[str, Any]]) -> tuple[int, int]:
        docs = list(reading_order(self.env))
        docname = item[1]["docname"]
        place = exercises_of(self.env).get(item[0], {}).get("place", 0)
        return (docs.index(docname) if docname in docs else len(docs), place)


def reading_order(env: BuildEnvironment) -> list[str]:
    """Documents in the order a reader turns the pages."""
    order: list[str] = []

    def walk(docname: str) -> None:
        if docname in order:
            return
        order.append(docname)
        for child in env.toctree_includes.get(docname, []):
            walk(child)

    walk(env.config.root_doc)
    return order


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget what a document declared before it is read again."""
    for table in (exercises_of(env), answers_of(env)):
        for label in [k for k, v in table.items() if v["docname"] == docname]:
            del table[label]


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str],
          other: BuildEnvironment) -> None:
    """Take over what a parallel reader found."""
    exercises_of(env).update(exercises_of(other))
    answers_of(env).update(answers_of(other))
    if hasattr(other, "fwts_answers_doc"):
        env.fwts_answers_doc = other.fwts_answers_doc  # type: ignore[attr-defined]


def rewrite_answers(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The appendix depends on every chapter: write it again whenever anything changed."""
    docname = getattr(env, "fwts_answers_doc", None)
    return [docname] if docname in env.found_docs else []


def on_paper(exercise: nodes.admonition) -> nodes.container:
    """An exercise without a box: title, text and the link to its answer are one paragraph."""
    title, *body, answer = exercise.children
    assert isinstance(title, nodes.title) and isinstance(answer, nodes.paragraph)
    end = nodes.Text("" if title.astext().endswith("?") else ".")
    heading = [nodes.strong("", "", *title.children, end), nodes.Text(" ")]
    if isinstance(body[0], nodes.paragraph):
        body[0].insert(0, heading)
    else:
        body.insert(0, nodes.paragraph("", "", *heading))
    if isinstance(body[-1], nodes.paragraph):
        body[-1] += [nodes.Text(" "), *answer.children]
    else:
        body.append(answer)
    return nodes.container("", *body, ids=exercise["ids"], classes=["exercise"])


def mark_boxes(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Give LaTeX a place to jump to for boxes that have a name; its writer makes none for them."""
    if app.builder.format != "latex":
        return
    for box in list(doctree.findall(nodes.admonition)):
        if "exercise" in box["classes"]:
            box.replace_self(on_paper(box))
    for node in list(doctree.findall(nodes.Element)):
        if isinstance(node, (nodes.admonition, nodes.container)) and node["ids"]:
            node.parent.insert(node.parent.index(node), nodes.target("", "", ids=node["ids"]))
            node["ids"] = []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the boxes."""
    for name in BOXES:
        app.add_directive(name, Box)
    app.add_directive("lab", Lab)
    app.add_directive("exercise", Exercise)
    app.add_directive("answer", Answer)
    app.add_directive("answers", Answers)
    app.add_role("exercise", ExerciseRole())
    app.add_post_transform(PlaceExercises)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", rewrite_answers)
    app.connect("doctree-resolved", mark_boxes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
