// Node's own calls: net, http, fs streams, child_process, worker_threads.  Prints nothing that depends on time.
"use strict";
const assert = require("node:assert");
const child_process = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const { pipeline } = require("node:stream/promises");
const { once } = require("node:events");
const worker_threads = require("node:worker_threads");
const zlib = require("node:zlib");
const sum = (data) => crypto.createHash("sha256").update(data).digest("hex").slice(0, 16);

async function echo(where) {
    const server = net.createServer((socket) => socket.pipe(socket)).listen(where);
    await once(server, "listening");
    const address = server.address();
    const clients = [...Array(20).keys()].map(async (number) => {
        const socket = net.connect(typeof address === "string" ? address : address.port, "127.0.0.1");
        const chunks = [];
        socket.on("data", (chunk) => chunks.push(chunk));
        socket.end(Buffer.alloc(300000, number));
        await once(socket, "close");
        return Buffer.concat(chunks).equals(Buffer.alloc(300000, number));
    });
    console.log("echo", await Promise.all(clients).then((all) => all.every(Boolean)));
    server.close();
}

async function web() {
    const server = http.createServer((request, response) => {
        if (request.method === "POST") return request.pipe(response);
        response.end(`you asked for ${request.url}`);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const root = `http://127.0.0.1:${server.address().port}`;
    const agent = new http.Agent({ keepAlive: true, maxSockets: 5 });
    const get = (path, body) => new Promise((resolve, reject) => {
        const request = http.request(root + path, { agent, method: body ? "POST" : "GET" }, (response) => {
            const chunks = [];
            response.on("data", (chunk) => chunks.push(chunk)).on("end", () => resolve(Buffer.concat(chunks)));
        });
        request.on("error", reject).end(body);
    });
    const answers = await Promise.all([...Array(50).keys()].map((n) => get(`/${n}`)));
    console.log("http", answers.map(String).slice(-2), sum(await get("/", Buffer.alloc(1000000, "z"))));
    agent.destroy();
    server.close();
    await assert.rejects(get("/"), { code: "ECONNREFUSED" });
}

async function files() {
    fs.writeFileSync("big", Buffer.alloc(5000000, "0123456789"));
    await pipeline(fs.createReadStream("big"), zlib.createGzip(), fs.createWriteStream("big.gz"));
    await pipeline(fs.createReadStream("big.gz"), zlib.createGunzip(), fs.createWriteStream("again"));
    console.log("files", sum(fs.readFileSync("again")), (await fs.promises.stat("again")).size);
    await pipeline(fs.createReadStream("big", { start: 1000, end: 1999, highWaterMark: 7 }), fs.createWriteStream("part"));
    fs.copyFileSync("part", "copy");
    fs.appendFileSync("copy", "more");
    const handle = await fs.promises.open("copy", "r+");
    await handle.write("xyz", 3);
    await handle.sync();
    console.log("files", (await handle.read(Buffer.alloc(10), 0, 10, 998)).buffer.toString(), sum(await handle.readFile()));
    await handle.close();
    await assert.rejects(fs.promises.readFile("nowhere"), { code: "ENOENT" });
    console.log("files", fs.readdirSync(".").sort().join(" "));
}

async function children() {
    console.log("child", child_process.spawnSync("sh", ["-c", "cat; echo err >&2; exit 3"], { input: "input", encoding: "utf8" }).status);
    console.log("child", child_process.execSync("seq 5 | sort -r | head -n 1").toString());
    const child = child_process.spawn("tr", ["a-z", "A-Z"]);
    child.stdin.end("through a child");
    child.stdout.on("data", (data) => console.log("child", data.toString()));
    console.log("child", await once(child, "close"));
    const killed = child_process.spawn("sleep", ["1000"]);
    killed.kill("SIGTERM");
    console.log("child", await once(killed, "exit"));
    if (worker_threads.isMainThread) {
        const forked = child_process.fork(__filename, ["child"]);
        forked.send({ number: 21 });
        console.log("fork", await once(forked, "message").then((all) => all[0]));
        await once(forked, "exit");
        const worker = new worker_threads.Worker(__filename, { argv: ["worker"] });
        console.log("worker", await once(worker, "message"), await once(worker, "exit"));
    }
}

async function main() {
    await echo({ port: 0, host: "127.0.0.1" });
    await echo("local.socket");
    await web();
    await files();
    await children();
    process.stdout.write("written\n");
    fs.writeSync(1, "written at once\n");
}

if (process.argv[2] === "child") {
    process.on("message", (message) => { process.send({ doubled: 2 * message.number }); process.disconnect(); });
} else if (!worker_threads.isMainThread) {
    worker_threads.parentPort.postMessage(sum(fs.readFileSync("part")));
} else {
    main().catch((error) => { console.log(error); process.exitCode = 1; });
}
