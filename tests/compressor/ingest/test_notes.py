from compressor.ingest.notes import add_notes, notes_of
from tests.graphs import graph_of

TEXT = "g (float[N] x) => (float[N] y) { y = Relu(x) }"


def test_notes_are_kept_with_the_model_in_order_and_not_written() -> None:
    model = graph_of(TEXT)
    assert notes_of(model) == ()
    add_notes(model, ["first"])
    add_notes(model, ["second"])
    assert notes_of(model) == ("first", "second")
    assert not model.metadata_props
