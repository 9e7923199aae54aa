"""What a fused operator's node must look like before its rule may read it.

ONNX Runtime's operators have no schema in the onnx package; an attribute's type follows from its
name in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx_ir as ir

from compressor.passes.opset.site import Rule


@dataclass(frozen=True)
class Fused:
    """How a fused operator is written out: its *rule*, and how many inputs no node lacks."""

    rule: Rule
    operands: int = 1


_INT, _INTS = ir.AttributeType.INT, ir.AttributeType.INTS
_FLOAT, _FLOATS, _STRING = ir.AttributeType.FLOAT, ir.AttributeType.FLOATS, ir.AttributeType.STRING

_NAMES: Mapping[ir.AttributeType, str] = {
    _FLOAT: "activation_alpha activation_beta activation_gamma alpha beta epsilon "
    "mask_filter_value scale",
    _STRING: "activation auto_pad",
    _FLOATS: "activation_params",
    _INTS: "dilations kernel_shape output_padding pads qkv_hidden_sizes strides",
    _INT: "axis block_size ceil_mode channels_last count_include_pad do_rotary group keepdims "
    "num_heads opset output_dtype past_present_share_buffer saturate simplified stash_type transA "
    "transB transBatchA transBatchB unidirectional",
}
ATTRIBUTES: Mapping[str, ir.AttributeType] = {
    name: kind for kind, names in _NAMES.items() for name in names.split()
}
