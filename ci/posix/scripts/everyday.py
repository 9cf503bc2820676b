"""Python's own calls: sockets, threads, subprocess, asyncio, files.  Prints nothing that depends on time."""

import asyncio
import fcntl
import mmap
import multiprocessing
import os
import selectors
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time


def echo_threads():
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve(connection):
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data.upper())

    def accept():
        for _ in range(20):
            threading.Thread(target=serve, args=(listener.accept()[0],)).start()

    threading.Thread(target=accept).start()
    answers = []

    def client(number):
        with socket.create_connection(listener.getsockname()) as connection:
            text = b"x%d" % number * 5000
            threading.Thread(target=connection.sendall, args=(text,)).start()
            answers.append(connection.recv(len(text), socket.MSG_WAITALL) == text.upper())

    clients = [threading.Thread(target=client, args=(n,)) for n in range(20)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    print("threads:", answers)


async def echo_asyncio():
    async def serve(reader, writer):
        while data := await reader.read(1000):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)

    async def client(number):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"%d" % number * 10000)
        writer.write_eof()
        data = await reader.read()
        writer.close()
        return len(data)

    print("asyncio:", await asyncio.gather(*(client(n) for n in range(30))))
    process = await asyncio.create_subprocess_exec("tr", "a-z", "A-Z", stdin=-1, stdout=-1)
    print("asyncio:", await process.communicate(b"a subprocess"), process.returncode)
    try:
        one, other = socket.socketpair()
        one.setblocking(False)
        with one, other:
            await asyncio.wait_for(asyncio.get_running_loop().sock_recv(one, 1), 0.05)
    except asyncio.TimeoutError:
        print("asyncio: a time limit")
    server.close()


def processes():
    print(subprocess.run(["sh", "-c", "cat; echo error >&2; exit 5"], input=b"input", capture_output=True))
    print(subprocess.run("seq 5 | sort -r", shell=True, capture_output=True, text=True).stdout.split())
    try:
        subprocess.run(["sleep", "1000"], timeout=0.1)
    except subprocess.TimeoutExpired:
        print("a time limit")
    try:
        subprocess.run(["/nowhere/at/all"])
    except FileNotFoundError as error:
        print(error)
    read, write = os.pipe()
    child = subprocess.Popen(["sh", "-c", "echo inherited >&%d" % write], pass_fds=[write])
    os.close(write)
    print(os.read(read, 100), child.wait())
    print(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 7"], os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, read)]) > 0, os.wait()[1] >> 8)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(pool.map(abs, range(-10, 0)))
    if os.fork() == 0:
        os._exit(9)
    print(os.WEXITSTATUS(os.wait()[1]))


def files():
    with tempfile.TemporaryFile() as file:
        file.write(bytes(range(256)) * 1000)
        file.flush()
        descriptor = file.fileno()
        print(os.pread(descriptor, 5, 300), os.pwrite(descriptor, b"abc", 7), os.preadv(descriptor, [bytearray(3), bytearray(9)], 7))
        os.fsync(descriptor), os.fdatasync(descriptor)
        with mmap.mmap(descriptor, 0) as view:
            print(view[5:12], view.find(b"abc"))
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        print(fcntl.fcntl(descriptor, fcntl.F_GETFD), fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE)
        print(struct.unpack("hhqqi4x", fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))))
        one, other = socket.socketpair()
        print(os.sendfile(one.fileno(), descriptor, 10, 100), other.recv(200))
        socket.send_fds(one, [b"descriptor"], [descriptor])
        data, received, _, _ = socket.recv_fds(other, 100, 4)
        print(data, os.pread(received[0], 4, 65))
        os.dup2(received[0], 200)
        os.closerange(190, 210)
        try:
            os.read(200, 1)
        except OSError as error:
            print(error)
        read, write = os.pipe()
        print(os.splice(descriptor, write, 50, 0), os.read(read, 3), os.writev(write, [b"1", b"22"]))
        os.set_blocking(read, False)
        os.read(read, 1000)
        try:
            os.read(read, 1)
        except BlockingIOError as error:
            print(error)


def waiting():
    read, write = os.pipe()
    with selectors.DefaultSelector() as selector:
        selector.register(read, selectors.EVENT_READ)
        print(selector.select(0.01))
        os.write(write, b"x")
        print([key.fd == read for key, _ in selector.select()])
    hits = []
    signal.signal(signal.SIGALRM, lambda *_: (hits.append(1), os.write(write, b"from a handler")))
    os.read(read, 1)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    print(os.read(read, 100), hits)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    signal.pause()
    event = threading.Event()
    threading.Timer(0.05, event.set).start()
    print(event.wait(), time.monotonic() > 0)


print("begins", flush=True)
echo_threads()
asyncio.run(echo_asyncio())
processes()
files()
waiting()
