// Reads solc's standard JSON input from stdin and writes its standard JSON output to stdout.
"use strict";
const solc = require("solc");
let input = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => (input += chunk));
process.stdin.on("end", () => process.stdout.write(solc.compile(input)));
