"""The demo's page in Gradio: what stands where, and what happens on a click. What is shown is made in `shown`."""

from __future__ import annotations

import contextlib
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import gradio as gr

from forge_lib.data.items import DataError
from forge_lib.lab.files import RunError, said, shown
from forge_lib.serving.charts import Chart
from forge_lib.serving.diagram import schema_svg
from forge_lib.serving.model import Model
from forge_lib.serving.sessions import Sessions
from forge_lib.serving.shown import Asked, Shown, ask, rerun
from forge_lib.serving.uploads import MAX_MB
from forge_lib.tasks.sql.assistant import MAX_QUESTION
from forge_lib.tasks.sql.review import note_asked
from forge_lib.tasks.sql.schema import Schema, words

FONTS = ["system-ui", "sans-serif"], ["ui-monospace", "Menlo", "Consolas", "monospace"]  # none is fetched from anywhere
CSS = """
.gradio-container { max-width: 1200px !important; margin: 0 auto !important; }
.gradio-container h1 { font-size: 1.6em; margin: 0 0 .2em; }
.gradio-container h3 { margin: 0; overflow-wrap: anywhere; }
.small { opacity: .75; font-size: .9em; line-height: 1.45; overflow-wrap: anywhere; }
.about { min-height: 2.9em; }
.schema, .rows { contain: inline-size; }  /* they scroll, and widen no page */
.schema { overflow: auto; max-height: 420px; }
.note { border-left: 4px solid #009E73; padding: .45em .8em; background: var(--background-fill-secondary);
        display: flex; flex-wrap: wrap; gap: .2em 1.2em; overflow-wrap: anywhere; border-radius: 4px; }
.note.warning { border-color: #E69F00; }
.note.error { border-color: #D55E00; }
.note .cost { opacity: .75; margin-left: auto; }
@media (max-width: 640px) {
  .gradio-container { padding: 8px !important; }
  .note .cost { margin-left: 0; }
  .about { min-height: 0; }
}
"""
_MAX_LABEL, _MAX_LETTERS = 16, 30  # letters of a chart's label, and of all of them side by side; more are slanted


def build_page(
    models: Sequence[Model], databases: Mapping[str, Path], folder: Path, review_file: Path | None,
    examples: Mapping[str, Sequence[str]] | None = None, remark: str = "", max_mb: float = MAX_MB,
) -> tuple[gr.Blocks, Sessions]:  # fmt: skip
    """The page and the sessions behind it, which whoever serves it closes at the end.

    models: one or two, each a column; databases: what every page may ask, by name, the first one chosen at the start;
    folder: for uploads; review_file: where thumbs go, None for a page that others are shown: it has no thumbs, and says
    that what is uploaded goes to a server; examples: questions by database; remark: a sentence at the top
    """
    sessions = Sessions(models, databases, folder)
    with gr.Blocks(title="FORGE: ask your database", analytics_enabled=False) as page:
        gr.HTML(_heading(remark, public=review_file is None))
        limits = _limits(max_mb, public=review_file is None)
        database, upload, uploaded, diagram = _database_row(list(databases), limits)
        question, suggestions, button = _question_row()
        with gr.Row():
            columns = [_Column(at, model, sessions, review_file) for at, model in enumerate(models)]

        for column in columns:
            column.connect([button.click, question.submit], database, question)
        suggestions.click(
            lambda sample: sample[0], suggestions, question, api_visibility="private", show_progress="hidden"
        )
        answers = [output for c in columns for output in c.outputs]
        hidden = {"api_visibility": "private", "show_progress": "hidden"}
        choose = _choose(sessions, columns, examples or {})
        gr.on([page.load, database.change], choose, database, [diagram, suggestions, *answers], **hidden)
        upload.upload(_take(sessions, max_mb), upload, [uploaded, database], api_visibility="private")
        page.unload(_leave(sessions))
    return page, sessions


def _database_row(databases: list[str], limits: str) -> tuple[gr.Dropdown, gr.UploadButton, gr.HTML, gr.HTML]:
    """The choice of a database, the button for one's own, what became of that, and the tables of the one chosen."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            database = gr.Dropdown(databases, value=databases[0], label="Database", elem_id="database")
            upload = gr.UploadButton("Upload a SQLite or CSV file", elem_id="upload")
            gr.HTML(limits, elem_classes="small")
            uploaded = gr.HTML(elem_id="uploaded")
        with gr.Column(scale=3, min_width=320), gr.Accordion("Tables", open=True):
            diagram = gr.HTML(elem_id="schema")
    return database, upload, uploaded, diagram


def _question_row() -> tuple[gr.Textbox, gr.Dataset, gr.Button]:
    """The question, some to try, and the button that asks."""
    question = gr.Textbox(
        label="Question", placeholder="Ask in plain English what the tables know", max_length=MAX_QUESTION,
        elem_id="question",
    )  # fmt: skip
    suggestions = gr.Dataset(components=[question], samples=[], label="For example", samples_per_page=4, type="values")
    return question, suggestions, gr.Button("Ask", variant="primary", elem_id="ask")


def _choose(sessions: Sessions, columns: Sequence[_Column], examples: Mapping[str, Sequence[str]]):
    def choose(name: str, request: gr.Request):
        """Another database: its tables and questions, and no answers of the one before."""
        try:
            schema = sessions.of(request.session_hash).assistants(name)[0].schema()
        except DataError as error:
            return [Shown("error", str(error)).html(), gr.skip(), *(x for c in columns for x in c.empty())]
        questions = list(examples.get(name, ())) or _questions(schema)
        samples = gr.Dataset(samples=[[q] for q in questions])
        return [
            f'<div class="schema">{schema_svg(schema)}</div>',
            samples,
            *(x for c in columns for x in c.empty()),
        ]

    return choose


def _take(sessions: Sessions, max_mb: float):
    def take(file: str, request: gr.Request):
        """A file was uploaded: a copy is taken, and Gradio's own goes at once."""
        session = sessions.of(request.session_hash)
        try:
            name = session.upload(Path(file), max_mb)
        except (DataError, RunError) as error:
            return Shown("error", str(error)).html(), gr.skip()
        except Exception as error:
            return Shown("error", f"{Path(file).name} cannot be taken ({said(error)[:200]}).").html(), gr.skip()
        finally:
            with contextlib.suppress(OSError):
                Path(file).unlink()
                Path(file).parent.rmdir()
        note = Shown("ok", f"{Path(file).name} is here; its copy goes when you close this page.")
        return note.html(), gr.Dropdown(choices=list(session.databases), value=name)

    return take


def _leave(sessions: Sessions):
    def leave(request: gr.Request):
        """The page was closed, or lost its connection."""
        sessions.end(request.session_hash)

    return leave


class _Column:
    """What one model answers: its SQL in an editor, a note, the rows, a chart, two thumbs."""

    def __init__(self, at: int, model: Model, sessions: Sessions, review_file: Path | None):
        self.at, self.sessions, self.review_file = at, sessions, review_file
        with gr.Column(min_width=320, elem_id=f"model-{at}"):
            gr.HTML(f"<h3>{html.escape(model.name)}</h3><div class='small about'>{html.escape(model.about)}</div>")
            self.sql = gr.Code(
                language="sql", lines=2, max_lines=12, interactive=True, wrap_lines=True, show_line_numbers=False,
                label="SQL: change it and run it again", elem_id=f"sql-{at}", buttons=["copy"],
            )  # fmt: skip
            self.run = gr.Button("Run again", size="sm", elem_id=f"run-{at}")
            self.note = gr.HTML(elem_id=f"note-{at}")
            self.table = gr.Dataframe(
                visible=False, interactive=False, max_height=320, max_chars=80, show_label=False, elem_id=f"rows-{at}",
                elem_classes="rows",
                latex_delimiters=[],
            )  # fmt: skip
            self.chart = gr.BarPlot(x="x", y="y", visible=False, height=260, elem_id=f"chart-{at}")
            with gr.Row(visible=review_file is not None):
                self.up = gr.Button("✓ Right", size="sm", min_width=80, elem_id=f"up-{at}")
                self.down = gr.Button("✗ Wrong", size="sm", min_width=80, elem_id=f"down-{at}")
            self.thanks = gr.HTML(elem_id=f"thanks-{at}")
            self.asked = gr.State(None)
        self.outputs = [self.sql, self.note, self.table, self.chart, self.thanks, self.asked]

    def connect(self, triggers: list, database: gr.Dropdown, question: gr.Textbox) -> None:
        """Answer when asked, run again, keep thumbs."""
        hidden = {"api_visibility": "private"}
        gr.on(triggers, self._ask, [database, question], self.outputs, show_progress_on=[self.sql, self.note], **hidden)
        inputs = [database, question, self.sql, self.asked]
        self.run.click(self._rerun, inputs, self.outputs, show_progress_on=self.note, concurrency_limit=4, **hidden)
        for button, right in ((self.up, True), (self.down, False)) if self.review_file else ():
            button.click(self._thumb(right), self.asked, self.thanks, show_progress="hidden", **hidden)

    def empty(self) -> list:
        """Nothing shown."""
        return ["", "", *_table_and_chart(None, (), None), "", None]

    def _ask(self, database: str, question: str, request: gr.Request) -> list:
        return self._show(ask(self.sessions.of(request.session_hash), self.at, database, question))

    def _rerun(self, database: str, question: str, sql: str, asked: Asked | None, request: gr.Request) -> list:
        question = asked.question if asked and asked.database == database else question
        return self._show(rerun(self.sessions.of(request.session_hash), database, question, sql))

    def _show(self, found: Shown) -> list:
        sql = gr.skip() if found.sql is None else found.sql
        return [sql, found.html(), *_table_and_chart(found.rows, found.columns, found.chart), "", found.asked]

    def _thumb(self, right: bool):
        def keep(asked: Asked | None, request: gr.Request) -> str:
            session = self.sessions.of(request.session_hash)
            if not asked or not asked.question or asked.database not in session.databases:
                return Shown("warning", "There is no answer yet to judge: ask a question first.").html()
            if right and not asked.works:
                return Shown(
                    "warning", "This query does not run, so it cannot be right: mend it and run it again."
                ).html()
            try:
                note_asked(self.review_file, session.databases[asked.database].stem, asked.question, asked.sql, right)
            except OSError as error:
                return Shown("error", f"The review file cannot be written ({error.strerror}).").html()
            return Shown("ok", f"Kept in {shown(self.review_file)}, which notebook 10 reads.").html()

        return keep


def _table_and_chart(rows: tuple | None, columns: tuple[str, ...], chart: Chart | None) -> list:
    table = {"headers": list(columns), "data": [list(r) for r in rows or ()]}
    return [gr.Dataframe(value=table if rows else None, visible=bool(rows)), _plot(chart)]


def _plot(chart: Chart | None) -> gr.BarPlot:
    """A chart for Gradio's plot, whose mark goes with its data; the columns get plain names, for Vega takes "a.b" apart."""
    if chart is None:
        return gr.BarPlot(value=None, visible=False)
    labels = chart.kind == "bar"
    xs, ys = ([p[axis] for p in chart.points] for axis in (0, 1))
    xs = _cut_labels(xs) if labels else xs
    data = {
        "columns": ["x", "y"],
        "data": [[x, y] for x, y in zip(xs, ys, strict=True)],
        "datatypes": {"x": "nominal" if labels else "quantitative", "y": "quantitative"},
        "mark": chart.kind,
    }
    return gr.BarPlot(
        value=data, visible=True, x_title=chart.x, y_title=chart.y, sort=xs if labels else None,
        y_lim=[min(0, *ys), max(0, *ys)] if labels else _room(ys),  # a bar begins at zero, or its length says nothing
        x_lim=None if labels else _room(xs), x_axis_format="d" if chart.kind == "line" else None,
        x_label_angle=-40 if labels and sum(map(len, xs)) > _MAX_LETTERS else 0,
    )  # fmt: skip


def _cut_labels(labels: list[str]) -> list[str]:
    """Labels short enough for a phone, where they stay different."""
    cut = [x if len(x) <= _MAX_LABEL else x[: _MAX_LABEL - 1] + "…" for x in labels]
    return cut if len(set(cut)) == len(cut) else labels


def _room(values: list[float]) -> list[float]:
    """The ends of an axis with room for the points at its ends."""
    low, high = min(values), max(values)
    room = 0.05 * (high - low) or 1
    return [low - room, high + room]


def _heading(remark: str, public: bool) -> str:
    note = f'<div class="note warning"><span>{html.escape(remark)}</span></div>' if remark else ""
    place = "server" if public else "machine"
    return (
        f"<h1>Ask your database</h1><p class='small'>A small language model on this {place} turns questions into SQL and "
        f"runs it, read-only. It is often wrong: read the SQL.</p>{note}"
    )


def _limits(max_mb: float, public: bool) -> str:
    where = "It goes to the server that shows this page" if public else "Nothing leaves this machine"
    thumbs = "" if public else " “Right” and “Wrong” keep question and SQL, no rows."
    return (
        f"Up to {max_mb:g} MB. {where}; the copy is read-only, and deleted when you close the page. "
        f"A CSV file becomes one table.{thumbs}"
    )


def _questions(schema: Schema) -> list[str]:
    """Questions that any database answers, for one that nobody asked before."""
    return [f"How many {words(table.name)} are there?" for table in schema.tables[:4]]
