# ruff: noqa: E501 - lines are as the program prints them
"""What benchmark_model prints, in the forms of its versions; the numbers are made up."""

RECENT = """INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Num threads: [4]
INFO: Graph: [/data/local/tmp/m.tflite]
INFO: Signature to run: []
INFO: Loaded model /data/local/tmp/m.tflite
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
INFO: The input model file size (MB): 4.9
INFO: Initialized session in 12.5ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=40 first=14000 curr=12500 min=12000 max=14000 avg=12600.5 std=300 p5=12100 median=12500 p95=13200

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
INFO: count=100 first=12400 curr=12300 min=12000 max=13000 avg=12345.6 std=200 p5=12050 median=12340 p95=12800

INFO: Inference timings in us: Init: 12500, First inference: 14000, Warmup (avg): 12600.5, Inference (avg): 12345.6
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the actual memory footprint of the model at runtime. Take the information at your discretion.
INFO: Memory footprint delta from the start of the tool (MB): init=6.5 overall=14.75
"""

OF_2020 = """STARTING!
Duplicate flags: num_threads
Log parameter values verbosely: [0]
Graph: [m.tflite]
#threads used for CPU inference: [4]
Loaded model m.tflite
The input model file size (MB): 0.004448
Initialized session in 0.855ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
count=15 first=49060 curr=33682 min=32825 max=49060 avg=34825.1 std=3930

Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
count=50 first=32891 curr=33978 min=32641 max=34005 avg=33209.4 std=450

Inference timings in us: Init: 855, First inference: 49060, Warmup (avg): 34825.1, Inference (avg): 33209.4
Peak memory footprint (MB): init=0 overall=12.875
"""

OF_2019 = """STARTING!
Min num runs: [10]
Graph: [m.tflite]
Use nnapi : [0]
nnapi error: unable to open library libneuralnetworks.so
Loaded model m.tflite
resolved reporter
Initialized session in 4.5ms
Running benchmark for at least 4 iterations and at least 0.5 seconds
count=13 first=39000 curr=37500 min=37400 max=39000 avg=37625.5 std=453

Running benchmark for at least 10 iterations and at least 1 seconds
count=25 first=37601 curr=37528 min=37413 max=37601 avg=3.75e+04 std=60

Average inference timings in us: Warmup: 37625.5, Init: 4500, no stats: 3.75e+04
"""

ONE_RUN = """INFO: Initialized session in 1ms.
INFO: count=1 curr=50000

INFO: count=1 curr=48000

INFO: Inference timings in us: Init: 1000, First inference: 50000, Warmup (avg): 50000, Inference (avg): 48000
"""

NO_DELEGATE = """STARTING!
Graph: [m.tflite]
Use xnnpack: [1]
Loaded model m.tflite
INFO: Initialized TensorFlow Lite runtime.
XNNPACK delegate created.
Failed to apply XNNPACK delegate.
Benchmarking failed.
"""

NO_MODEL = """INFO: STARTING!
ERROR: Could not open 'm.tflite'.
ERROR: Failed to load model m.tflite
ERROR: Benchmarking failed.
"""

UNKNOWN_OPERATOR = """INFO: STARTING!
INFO: Loaded model m.tflite
ERROR: Encountered unresolved custom op: MyOp.
See instructions: https://www.tensorflow.org/lite/guide/ops_custom
ERROR: Node number 3 (MyOp) failed to prepare.
ERROR: Failed to allocate tensors!
ERROR: Benchmarking failed.
"""

WRONG_PROCESSOR = "/system/bin/sh: ./benchmark_model: not executable: 64-bit ELF file\n"
NO_LIBRARY = 'CANNOT LINK EXECUTABLE "benchmark_model": library "libc++_shared.so" not found\n'
CRASHED = "INFO: STARTING!\nINFO: Loaded model m.tflite\nSegmentation fault \n"
CUT_SHORT = RECENT[: RECENT.index("INFO: Inference timings")]
