// A Parquet file of 100,000 rows, x = 0, 1, ... Usage: node parquet.mjs write FILE, node parquet.mjs read URL
import { asyncBufferFromUrl, parquetReadObjects } from "hyparquet";

const [verb, where] = process.argv.slice(2);
if (verb === "write") {
  const { parquetWriteFile } = await import("hyparquet-writer");
  const x = Array.from({ length: 100000 }, (_, i) => i);
  parquetWriteFile({
    filename: where, rowGroupSize: 10000,
    columnData: [{ name: "x", data: x, type: "INT32" }, { name: "y", data: x.map((i) => i / 2), type: "DOUBLE" }],
  });
} else {
  const file = await asyncBufferFromUrl({ url: where });
  const rows = await parquetReadObjects({ file, columns: ["x"], rowStart: 50000, rowEnd: 50003 });
  console.log(JSON.stringify(rows.map((row) => row.x)));
}
