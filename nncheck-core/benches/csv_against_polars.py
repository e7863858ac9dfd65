"""Loads one CSV file with nncheck and with polars, one after the other, several times, in processes of their own.

    pip install polars numpy
    cargo build --release -p nncheck-core --example load_csv
    python nncheck-core/benches/csv_against_polars.py target/release/examples/load_csv [ROWS] [COLUMNS]

polars reads the file and makes a float32 array of it, as one does for PyTorch; nncheck reads it, splits it and works
out its statistics. Memory is the most that either process had.
"""

import json
import os
import subprocess
import sys
import tempfile

POLARS = """
import json, resource, sys, time
import polars as pl
start = time.perf_counter()
frame = pl.read_csv(sys.argv[1])
x = frame.drop("y").cast(pl.Float32).to_numpy()
y = frame["y"].to_numpy()
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({"seconds": round(seconds, 3), "peak_mb": peak, "tensor_mb": x.nbytes >> 20}))
"""


def write(path, rows, columns):
    import numpy as np

    generator = np.random.default_rng(0)
    with open(path, "w") as file:
        file.write(",".join([f"x{i}" for i in range(columns)] + ["y"]) + "\n")
        for start in range(0, rows, 50_000):
            block = generator.standard_normal((min(50_000, rows - start), columns + 1))
            np.savetxt(file, block, fmt="%.6g", delimiter=",")


def run(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    program = sys.argv[1]
    rows, columns = (int(n) for n in (sys.argv[2:] + ["1000000", "64"][len(sys.argv) - 2 :]))
    path = os.path.join(tempfile.gettempdir(), f"nncheck-{rows}x{columns}.csv")
    if not os.path.exists(path):
        write(path, rows, columns)
    print(f"{rows} rows x {columns} columns, {os.path.getsize(path) >> 20} MiB, {os.cpu_count()} cores")
    for turn in range(5):
        print("nncheck", run([program, path, "y"]))
        print("polars ", run([sys.executable, "-c", POLARS, path]))


if __name__ == "__main__":
    main()
