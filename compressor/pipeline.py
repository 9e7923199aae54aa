"""The order of passes, with the reason for each place, and the one loop that runs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import onnx_ir as ir

from compressor.analyses.cost import cost_of
from compressor.ir.interface import Interface, interface_of
from compressor.ir.verify import verify
from compressor.ledger import LedgerEntry
from compressor.passes.annotate_quantized import AnnotateQuantized
from compressor.passes.cancel_transposes import CancelTransposes
from compressor.passes.canonicalize_linear import CanonicalizeLinear
from compressor.passes.canonicalize_pool import CanonicalizePool
from compressor.passes.clear_metadata import ClearMetadata
from compressor.passes.convert_opset import ConvertOpset
from compressor.passes.drop_nan_guard import DropNanGuard
from compressor.passes.eliminate_identity import EliminateIdentity
from compressor.passes.fold_affine import FoldAffine
from compressor.passes.fold_batchnorm import FoldBatchnorm
from compressor.passes.fold_constants import FoldConstants
from compressor.passes.fold_dynamic import FoldDynamic
from compressor.passes.fold_pad import FoldPad
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.inline_functions import InlineFunctions
from compressor.passes.lift_constants import LiftConstants
from compressor.passes.merge_movement import MergeMovement
from compressor.passes.protocol import Pass, PassContext, pass_name
from compressor.passes.remove_unused import RemoveUnused
from compressor.passes.simplify_broadcast import SimplifyBroadcast
from compressor.passes.simplify_reshape import SimplifyReshape
from compressor.passes.unfuse import Unfuse
from compressor.passes.unpack_constants import UnpackConstants
from compressor.passes.unshare_constants import UnshareConstants
from compressor.passes.widen_floats import WidenFloats

Evaluate = Callable[[ir.Model], float]
Observe = Callable[[LedgerEntry, ir.Model], None]

CANONICALIZE: tuple[Pass, ...] = (
    InlineFunctions(),  # first: all others, the opset converter too, read one flat graph
    ClearMetadata(),  # early: names are unique from here on; no path reaches a later output
    ConvertOpset(),  # every later pass knows one form of each operator
    LiftConstants(),  # constants are recognised as initializers from here on
    InferShapes(),  # the next pass goes by types
    WidenFloats(),  # every later pass computes in float32
    Unfuse(),  # integer operators become Q/DQ around float ones; needs constant scales
    LiftConstants(),  # the constants of what was written out
    UnpackConstants(),  # before folding, which would forget the integers
    FoldDynamic(),  # before weights are canonical: the pattern ends in plain arithmetic
    InferShapes(),  # folding of shape arithmetic needs shapes
    FoldConstants(),  # leaves only what depends on the inputs
    LiftConstants(),  # folding makes Constant nodes
    RemoveUnused(),  # fewer nodes for the rest; merges shape arithmetic
    InferShapes(),  # folded shapes are now known
    SimplifyReshape(),  # frees the shape arithmetic that only reshapes read
    SimplifyBroadcast(),  # needs dimensions by name; leaves constants that change nothing
    DropNanGuard(),  # after masks have become constants
    EliminateIdentity(),  # so that patterns below meet without a Dropout between
    FoldBatchnorm(),  # needs Conv and BatchNormalization as neighbours
    FoldPad(),  # after identities, so that Pad and Conv are neighbours
    InferShapes(),  # what reshapes to targets that are constants by now lead to
    MergeMovement(),  # the transpositions that it leaves meet others
    CancelTransposes(),  # before pools and layers: reductions over an image become recognisable
    CanonicalizePool(),  # needs shapes
    CanonicalizeLinear(),  # needs shapes and constant weights
    FoldAffine(),  # after both: normalization that was written out, behind Conv or Gemm
    InferShapes(),  # the rows of flattened inputs
    SimplifyReshape(),  # merges the reshapes that the two passes above made with their neighbours
    EliminateIdentity(),  # reshapes that have become no-ops
    RemoveUnused(),  # what the rewrites left behind
    UnshareConstants(),  # last: merging would share them again
    InferShapes(),  # every new value gets its shape
    AnnotateQuantized(),  # needs types everywhere; no pass before it has to know conversions
)


def run_passes(
    model: ir.Model,
    passes: Sequence[Pass],
    *,
    interface: Interface | None,
    context: PassContext | None = None,
    observe: Observe | None = None,
    evaluate: Evaluate | None = None,
) -> list[LedgerEntry]:
    """Run *passes* over *model* in order, verifying the graph after each one.

    The graph must keep *interface*, which is None for passes that are there to change it.
    Returns one ledger entry a pass; *observe* sees each as it is made, with the graph. *evaluate*
    is given to record quality after each pass as well.

    Raises:
        EdgecError: ``PASS_BROKE_GRAPH`` when a pass leaves an invalid graph.
    """
    entries = []
    for step in passes:
        start = time.process_time()
        changes = step.run(model, context or PassContext())
        seconds = time.process_time() - start
        verify(model, interface or interface_of(model), pass_name(step))
        entry = LedgerEntry(
            name=pass_name(step),
            seconds=seconds,
            changes=changes,
            nodes=model.graph.num_nodes(),
            cost=cost_of(model),
            quality=None if evaluate is None else evaluate(model),
        )
        if observe is not None:
            observe(entry, model)
        entries.append(entry)
    return entries
