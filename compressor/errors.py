"""Errors that people meet: each has a code, says what, where, what was expected and what to try."""

from __future__ import annotations

from enum import Enum, IntEnum


class ExitCode(IntEnum):
    """Exit status of the command line, stable for scripts."""

    OK = 0
    BUDGET = 1
    USER = 2
    INCONCLUSIVE = 3
    ENVIRONMENT = 4


class Code(Enum):
    """Every error code: (identifier, exit code, explanation shown by ``edgec explain``).

    1xx command line and recipe, 2xx model, 3xx data, 4xx passes and quantization,
    5xx export, 6xx runtimes, 7xx measurement, 9xx environment.
    """

    def __init__(self, ident: str, exit_code: ExitCode, explanation: str) -> None:
        self.ident = ident
        self.exit_code = exit_code
        self.explanation = explanation

    USAGE = (
        "EC101",
        ExitCode.USER,
        (
            "The command line could not be understood: an unknown command, option or option "
            "value. The message names the nearest valid spelling; `edgec COMMAND --help` lists "
            "them all."
        ),
    )
    RECIPE_INVALID = (
        "EC102",
        ExitCode.USER,
        (
            "A setting has an unknown key, or a value of the wrong type or outside its range. "
            "Unknown keys are refused rather than ignored, so that a typo never changes what is"
            " built."
        ),
    )
    OUTPUT_UNWRITABLE = (
        "EC103",
        ExitCode.USER,
        (
            "The output folder cannot be created or written: it exists as a file, lies on a "
            "read-only or full disk, or its permissions refuse. Nothing was written."
        ),
    )
    OUTPUT_EXISTS = (
        "EC104",
        ExitCode.USER,
        (
            "The output folder holds files that edgec did not make. It never overwrites those: "
            "choose another folder with -o, or remove the files. A folder that edgec made is "
            "replaced."
        ),
    )
    UNKNOWN_CODE = (
        "EC105",
        ExitCode.USER,
        ("`edgec explain` knows only the codes that edgec prints, such as EC201."),
    )
    LOCK_MISMATCH = (
        "EC106",
        ExitCode.USER,
        (
            "With --locked, model, data, settings, tool versions and artifacts must be those of "
            "the lock file beside the project file. The message names the first that differs; "
            "nothing was written."
        ),
    )
    MODEL_NOT_FOUND = (
        "EC201",
        ExitCode.USER,
        ("No file or folder has the given path. Relative paths start at the current folder."),
    )
    MODEL_FORMAT_UNKNOWN = (
        "EC202",
        ExitCode.USER,
        (
            "The path exists but no importer accepts it. Models are recognised by name and "
            "content: m.onnx, m.tflite, m.keras, m.h5, m.pt2, a folder of a SavedModel or of "
            "transformers (config.json and safetensors), or file.py:factory (a callable that "
            "returns a torch.nn.Module or a Keras model)."
        ),
    )
    MODEL_UNREADABLE = (
        "EC203",
        ExitCode.USER,
        (
            "The file is not what its name says, is truncated, or breaks the format's rules. "
            "Download or export it again, and check it with the framework that wrote it."
        ),
    )
    MODEL_UNSUPPORTED = (
        "EC204",
        ExitCode.USER,
        (
            "The model is well formed but uses something that edgec does not take: an opset "
            "that is too old or too new, control flow, sequences, or a custom operator."
        ),
    )
    MODEL_NOT_FINITE = (
        "EC205",
        ExitCode.USER,
        (
            "A weight holds NaN or infinity. Such a model cannot give meaningful outputs: it "
            "usually comes from a diverged training run or a damaged checkpoint."
        ),
    )
    MODEL_TOO_LARGE = (
        "EC206",
        ExitCode.USER,
        ("The file exceeds a safety bound on size, node count or nesting depth."),
    )
    EXTERNAL_DATA = (
        "EC207",
        ExitCode.USER,
        (
            "The model keeps weights in separate files. They must lie inside the model's own "
            "folder, be ordinary files and be long enough; absolute paths, '..' and links are "
            "refused."
        ),
    )
    FACTORY_FAILED = (
        "EC208",
        ExitCode.USER,
        (
            "The Python factory could not be imported, is not callable without arguments, "
            "raised an exception, or returned something other than a model."
        ),
    )
    WEIGHTS_MISMATCH = (
        "EC209",
        ExitCode.USER,
        (
            "The checkpoint given by --weights does not fit the model: keys are missing, "
            "unexpected, or of another shape; or it is not a plain state dict (pickled modules "
            "are refused)."
        ),
    )
    INPUT_SHAPE_NEEDED = (
        "EC210",
        ExitCode.USER,
        (
            "The source does not state the shape of an input. Give it: --input-shape "
            "name=1,3,224,224, once for each input."
        ),
    )
    EXPORT_FROM_TORCH_FAILED = (
        "EC211",
        ExitCode.USER,
        (
            "PyTorch could not trace the module into a graph. The usual causes are data-"
            "dependent control flow and operators without an ONNX meaning; the message carries "
            "torch's reason."
        ),
    )
    EXPORT_FROM_KERAS_FAILED = (
        "EC212",
        ExitCode.USER,
        (
            "The Keras model or SavedModel could not be traced or converted to ONNX, or the "
            "converted graph answers otherwise than the model. The usual causes are TensorFlow "
            "operators without an ONNX meaning; the message names them."
        ),
    )
    DATA_NOT_FOUND = (
        "EC301",
        ExitCode.USER,
        (
            "No file has the given data path. A .toml data description resolves its `path` "
            "relative to its own folder."
        ),
    )
    DATA_UNREADABLE = (
        "EC302",
        ExitCode.USER,
        (
            "The data is not a readable .npz, image or .toml, is truncated, or holds pickled "
            "objects (which are never loaded); or the function of file.py:function failed, and "
            "the message names its line."
        ),
    )
    DATA_MISSING_ARRAY = (
        "EC303",
        ExitCode.USER,
        (
            "The data lacks an array: `x` (and `y` for a metric that needs labels) for a model "
            "with one input, arrays named after the inputs for a model with several."
        ),
    )
    DATA_SHAPE = (
        "EC304",
        ExitCode.USER,
        (
            "Samples do not have the shape that the model takes. If only the order of the axes "
            'differs, state it: layout = "NHWC" or "NCHW" in a .toml data description.'
        ),
    )
    DATA_DTYPE = (
        "EC305",
        ExitCode.USER,
        (
            "Samples have a type that cannot be fed to the model, such as text or complex "
            "numbers, or fractions for an input of integer type."
        ),
    )
    DATA_NOT_FINITE = (
        "EC306",
        ExitCode.USER,
        ("Samples hold NaN or infinity; ranges calibrated on them would be meaningless."),
    )
    DATA_EMPTY = (
        "EC307",
        ExitCode.USER,
        ("There are no samples, or the numbers of samples and labels differ."),
    )
    DATA_RANGE = (
        "EC308",
        ExitCode.USER,
        (
            "The values are implausible for this model, usually 0..255 images fed to a model "
            "trained on 0..1 or normalised ones. State divide, mean and std in a .toml data "
            "description."
        ),
    )
    DATA_REQUIRED = (
        "EC309",
        ExitCode.USER,
        (
            "Static INT8 chooses scales from activations, so it needs representative samples: "
            "--data DATA. INT8 without data is not possible in this form."
        ),
    )
    DATA_LABELS = (
        "EC310",
        ExitCode.USER,
        ("The metric needs labels that the data lacks or that do not fit the model's classes."),
    )
    METRIC_FAILED = (
        "EC311",
        ExitCode.USER,
        (
            'The metric "file.py:function" could not be imported, raised an exception, or gave '
            "something else than a number. It is called with the model's first output and the "
            "labels, one row a sample."
        ),
    )
    PASS_BROKE_GRAPH = (
        "EC401",
        ExitCode.ENVIRONMENT,
        (
            "A pass left an invalid graph or changed the model's interface. This is a defect of"
            " edgec; nothing was written. Please report it with the model's op list (edgec "
            "inspect)."
        ),
    )
    CALIBRATION_MISMATCH = (
        "EC402",
        ExitCode.ENVIRONMENT,
        (
            "The calibration table belongs to another graph (its fingerprint differs) or lacks "
            "a tensor that must be quantized. This is a defect of edgec."
        ),
    )
    FLOAT_NOT_FINITE = (
        "EC403",
        ExitCode.USER,
        (
            "The float model itself produces NaN or infinity on the calibration data, so no "
            "quantization can be trusted. The message names the first tensor where it happens."
        ),
    )
    FP16_OVERFLOW = (
        "EC404",
        ExitCode.USER,
        ("A weight exceeds the FP16 range (65504) and would become infinite."),
    )
    PRUNE_PLAN_MISMATCH = (
        "EC411",
        ExitCode.USER,
        (
            "A pruning plan names a dimension or a unit that this graph does not have or that "
            "cannot go. Plans hold for the very model they were made from: make a new one, or "
            "give the model that the plan belongs to."
        ),
    )
    PRUNE_BUDGET_OUT_OF_REACH = (
        "EC412",
        ExitCode.USER,
        (
            "Removing all channels that may go still leaves more than the pruning budget allows. "
            "Ask for less, or see with edgec inspect --prunable what holds the rest."
        ),
    )
    NO_LOWERING = (
        "EC501",
        ExitCode.USER,
        (
            "An operator, or this form of it, has no lowering to the requested format. Nothing "
            "was written. The message names the node; leave that format out of --to, or change "
            "the model."
        ),
    )
    ARTIFACT_MISMATCH = (
        "EC502",
        ExitCode.ENVIRONMENT,
        (
            "A written artifact does not do what the graph says: other interface, other outputs"
            " than the tolerance allows, NaN, or it does not load. It was discarded."
        ),
    )
    ARTIFACT_TOO_LARGE = (
        "EC503",
        ExitCode.USER,
        (
            "The artifact would be larger than its format can be: TFLite and ORT files end at 2"
            " GiB. Nothing was written. ONNX has no such bound."
        ),
    )
    RUNTIME_UNAVAILABLE = (
        "EC601",
        ExitCode.ENVIRONMENT,
        ("The runtime is not installed or not usable here; the message says what to install."),
    )
    RUNTIME_CRASHED = (
        "EC602",
        ExitCode.ENVIRONMENT,
        (
            "A runtime's process died while loading or running a model. edgec itself is "
            "unharmed; the artifact was discarded."
        ),
    )
    RUNTIME_REFUSED = (
        "EC603",
        ExitCode.USER,
        ("The runtime could not load the model or run it on the given inputs."),
    )
    TARGET_UNKNOWN = (
        "EC604",
        ExitCode.USER,
        ("No runtime has the given target name."),
    )
    DEVICE_INVALID = (
        "EC605",
        ExitCode.USER,
        (
            "A device file has an unknown or missing key, a value of the wrong type, or a number "
            "that cannot be in the unit that its key names (a clock of 1.8 MHz, a negative price)."
        ),
    )
    DEVICE_UNREACHABLE = (
        "EC606",
        ExitCode.ENVIRONMENT,
        (
            "No connection to the device could be made: it is off, its name or key is not known "
            "here, it refuses ours, or its folder cannot be written. Host keys are always checked "
            "and no password is asked for: connect once by hand first."
        ),
    )
    DEVICE_LOST = (
        "EC607",
        ExitCode.ENVIRONMENT,
        (
            "The connection to the device ended amid the work, or what came back was damaged. The "
            "runner there notices, stops and removes its files."
        ),
    )
    REPORT_UNREADABLE = (
        "EC701",
        ExitCode.USER,
        (
            "The folder holds no report.json, or one that is broken or of another version's "
            "layout. Gates and baselines work on the folder that `edgec compile` wrote."
        ),
    )
    BUDGET_MISSED = (
        "EC702",
        ExitCode.BUDGET,
        (
            "An artifact that was written breaks a budget of the project file, and nothing that is "
            "still to be measured can change that, so the compilation stopped. Nothing was kept."
        ),
    )
    EXTRA_MISSING = (
        "EC901",
        ExitCode.ENVIRONMENT,
        ("An optional package is missing. The message gives the install command."),
    )
    DISK_FULL = (
        "EC902",
        ExitCode.ENVIRONMENT,
        ("The disk filled up while writing. Unfinished files were removed."),
    )
    INTERRUPTED = (
        "EC903",
        ExitCode.ENVIRONMENT,
        ("The run was interrupted. Finished files from an earlier run are untouched."),
    )
    INTERNAL = (
        "EC999",
        ExitCode.ENVIRONMENT,
        (
            "Something happened that edgec did not expect: a defect. Run again with --debug for"
            " the traceback and report it."
        ),
    )

    @classmethod
    def find(cls, ident: str) -> Code | None:
        """Return the code with identifier *ident* (any case), or None."""
        return next((code for code in cls if code.ident == ident.upper()), None)


class EdgecError(Exception):
    """A failure that a person can act on.

    Attributes:
        code: which failure, with its exit code and long explanation.
        what: one sentence on what is wrong, with the offending value.
        where: file, node, array or option at fault.
        expected: what would have been right.
        hint: what to try next.
    """

    def __init__(
        self,
        code: Code,
        what: str,
        *,
        where: str = "",
        expected: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.where = where
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the message as lines of text, the code and the fact first."""
        rows = [f"error[{self.code.ident}]: {self.what}"]
        parts = (("where", self.where), ("expected", self.expected), ("try", self.hint))
        return rows + [f"  {label:>8}: {text}" for label, text in parts if text]

    def to_json(self) -> dict[str, str]:
        """Return the error as a JSON-ready mapping."""
        return {
            "code": self.code.ident,
            "what": self.what,
            "where": self.where,
            "expected": self.expected,
            "try": self.hint,
        }
