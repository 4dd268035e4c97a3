"""Makes arrow.parquet and old.parquet as pyarrow writes them, and by json what rows is to make of them."""

import datetime as dt
import decimal
import json
import math
import struct

import pyarrow as pa
import pyarrow.parquet as pq

UTC = dt.UTC
F32 = struct.unpack("f", struct.pack("f", 0.1))[0]
NAIVE = dt.datetime(2019, 1, 2, 3, 4, 5, 600)

COLUMNS = {
    "small": (pa.int8(), [-128, 127, None, 0]),
    "int": (pa.int64(), [-(2**63), 2**63 - 1, None, 2**53 + 1]),
    "uint": (pa.uint64(), [0, 2**64 - 1, None, 1]),
    "double": (pa.float64(), [0.1, -0.0, None, 1e16]),
    "tiny": (pa.float64(), [5e-324, 1.7976931348623157e308, 123456789.123, 0.0001]),
    "odd": (pa.float64(), [math.nan, math.inf, -math.inf, 236.0]),
    "float": (pa.float32(), [F32, 16777216.0, None, 1.0]),
    "flag": (pa.bool_(), [True, False, None, True]),
    "text": (pa.string(), ['é "quoted" \\ \u2028', "", None, "plain"]),
    "word": (pa.dictionary(pa.int8(), pa.string()), ["a", "b", "a", None]),
    "bytes": (pa.binary(), [b"text", b"", None, "ü".encode()]),
    "day": (pa.date32(), [dt.date(2019, 1, 2), dt.date(1969, 12, 31), None, dt.date(1, 1, 1)]),
    "at_us": (
        pa.timestamp("us"),
        [NAIVE, NAIVE.replace(microsecond=0), None, dt.datetime(1969, 12, 31, 23, 59, 59, 999999)],
    ),
    "at_ms": (
        pa.timestamp("ms", tz="UTC"),
        [NAIVE.replace(microsecond=7000, tzinfo=UTC), None, NAIVE.replace(microsecond=0, tzinfo=UTC), None],
    ),
    "clock": (pa.time64("us"), [dt.time(1, 2, 3, 4), dt.time(0, 0), None, dt.time(23, 59, 59)]),
    "money": (
        pa.decimal128(20, 2),
        [decimal.Decimal("12.30"), decimal.Decimal("-0.05"), None, decimal.Decimal("123456789012345678.90")],
    ),
    "list": (pa.list_(pa.int32()), [[1, None, 3], [], None, [4]]),
    "deep": (pa.list_(pa.list_(pa.string())), [[["a"], [], None], [], None, [["b", None]]]),
    "map": (pa.map_(pa.string(), pa.float64()), [[("a", 1.5), ("b c", None)], [], None, [("x", 2.0)]]),
    "numbers": (pa.map_(pa.int32(), pa.string()), [[(1, "one")], [], None, []]),
    "ride": (
        pa.struct(
            [
                ("PULocationID", pa.int32()),
                ("stops", pa.list_(pa.struct([("at", pa.string()), ("n", pa.int8())]))),
            ]
        ),
        [
            {"PULocationID": 236, "stops": [{"at": "x", "n": 1}, None, {"at": None, "n": None}]},
            {"PULocationID": None, "stops": []},
            None,
            {"PULocationID": 1, "stops": None},
        ],
    ),
    "nothing": (pa.null(), [None] * 4),
    "ride.dotted": (pa.int32(), [1, 2, 3, 4]),
}


def plain(name, value):
    """What a value is as JSON."""
    if value is None:
        return None
    if name == "map":
        return {k: v for k, v in value}
    if name == "numbers":
        return [{"key": k, "value": v} for k, v in value]
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dt.datetime):
        text = value.replace(tzinfo=None).isoformat(timespec="auto")
        if name == "at_ms" and value.microsecond:
            text = value.replace(tzinfo=None).isoformat(timespec="milliseconds")
        return text + ("Z" if value.tzinfo else "")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return value


def main():
    arrays = {name: pa.array(values, type) for name, (type, values) in COLUMNS.items()}
    table = pa.table(arrays)
    pq.write_table(table, "arrow.parquet", row_group_size=3, data_page_size=1)
    old = table.drop_columns(["nothing", "at_us"]).append_column("at_96", arrays["at_us"])
    pq.write_table(old, "old.parquet", version="1.0", data_page_version="1.0", use_deprecated_int96_timestamps=True,
                   compression="gzip", use_compliant_nested_type=False)  # fmt: skip
    with open("arrow.jsonl", "w") as file:
        for row in range(4):
            record = {name: plain(name, values[row]) for name, (_, values) in COLUMNS.items()}
            text = json.dumps(
                record, ensure_ascii=False, separators=(",", ":"), default=lambda d: f"decimal {d}"
            )
            text = (
                text.replace("-Infinity", "-1e999").replace("Infinity", "1e999").replace("\u2028", "\\u2028")
            )
            for value in COLUMNS["money"][1]:
                text = text.replace(f'"decimal {value}"', str(value))
            file.write(text + "\n")


if __name__ == "__main__":
    main()
