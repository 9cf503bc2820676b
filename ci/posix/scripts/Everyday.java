// Java's own calls: sockets, a selector, files, processes.  Prints nothing that depends on time.
import java.io.*;
import java.net.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;

public class Everyday {
    static final InetAddress HERE = InetAddress.getLoopbackAddress();

    static String exchange(int port, int number) throws Exception {
        try (Socket socket = new Socket(HERE, port)) {
            byte[] text = ("client " + number + " ").repeat(5000).getBytes();
            Thread writer = new Thread(() -> {
                try {
                    socket.getOutputStream().write(text);
                    socket.shutdownOutput();
                } catch (IOException e) {
                    e.printStackTrace();
                }
            });
            writer.start();
            byte[] answer = socket.getInputStream().readAllBytes();
            writer.join();
            return Arrays.equals(answer, text) ? "equal" : "different";
        }
    }

    static void clients(int port) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<String>> answers = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            int number = i;
            answers.add(pool.submit(() -> exchange(port, number)));
        }
        for (Future<String> answer : answers) System.out.print(answer.get() + " ");
        System.out.println();
        pool.shutdown();
    }

    static void threads() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, HERE)) {
            Thread acceptor = new Thread(() -> {
                try {
                    while (true) {
                        Socket socket = server.accept();
                        new Thread(() -> {
                            try (socket) {
                                socket.getInputStream().transferTo(socket.getOutputStream());
                            } catch (IOException e) {
                                e.printStackTrace();
                            }
                        }).start();
                    }
                } catch (IOException e) {
                    System.out.println("closed while it accepted: " + e.getMessage());
                }
            });
            acceptor.start();
            clients(server.getLocalPort());
            // Closes a descriptor in which another thread waits.
            server.close();
            acceptor.join();
        }
        ServerSocket patient = new ServerSocket(0, 1, HERE);
        patient.setSoTimeout(50);
        try {
            patient.accept();
        } catch (SocketTimeoutException e) {
            System.out.println("a time limit: " + e.getMessage());
        }
        int port = patient.getLocalPort();
        patient.close();
        try {
            new Socket(HERE, port).close();
        } catch (ConnectException e) {
            System.out.println(e.getMessage());
        }
    }

    static void selector() throws Exception {
        Selector selector = Selector.open();
        ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress(HERE, 0));
        server.configureBlocking(false);
        server.register(selector, SelectionKey.OP_ACCEPT);
        Thread loop = new Thread(() -> {
            try {
                ByteBuffer buffer = ByteBuffer.allocateDirect(8192);
                while (!Thread.interrupted()) {
                    selector.select();
                    for (SelectionKey key : selector.selectedKeys()) {
                        if (key.isAcceptable()) {
                            SocketChannel channel = server.accept();
                            if (channel == null) continue;
                            channel.configureBlocking(false);
                            channel.register(selector, SelectionKey.OP_READ);
                            continue;
                        }
                        SocketChannel channel = (SocketChannel) key.channel();
                        buffer.clear();
                        if (channel.read(buffer) < 0) {
                            channel.close();
                            continue;
                        }
                        buffer.flip();
                        while (buffer.hasRemaining()) channel.write(buffer);
                    }
                    selector.selectedKeys().clear();
                }
            } catch (IOException e) {
                e.printStackTrace();
            }
        });
        loop.start();
        clients(server.socket().getLocalPort());
        loop.interrupt();
        selector.wakeup();
        loop.join();
        selector.close();
        server.close();
        System.out.println("selector closed: " + !selector.isOpen());
    }

    static void files() throws Exception {
        Path path = Path.of("file");
        Files.write(path, "0123456789".repeat(100000).getBytes());
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            ByteBuffer buffer = ByteBuffer.allocate(7);
            channel.read(buffer, 12345);
            System.out.println(new String(buffer.array()) + " " + lock.isValid() + " " + channel.write(ByteBuffer.wrap("xyz".getBytes()), 3));
            channel.force(true);
            MappedByteBuffer map = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            System.out.println((char) map.get(4) + " " + map.capacity());
            try (FileChannel copy = FileChannel.open(Path.of("copy"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                System.out.println("transferred " + channel.transferTo(0, channel.size(), copy));
            }
        }
        System.out.println(Files.mismatch(path, Path.of("copy")));
        try (RandomAccessFile file = new RandomAccessFile("copy", "rw")) {
            file.seek(999990);
            file.writeBytes("the end is later");
            System.out.println(file.length());
        }
        Pipe pipe = Pipe.open();
        pipe.sink().write(ByteBuffer.wrap("through a pipe".getBytes()));
        pipe.sink().close();
        ByteBuffer buffer = ByteBuffer.allocate(100);
        while (pipe.source().read(buffer) >= 0) { }
        System.out.println(new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8));
        // A thread that is interrupted in a read.
        Pipe quiet = Pipe.open();
        Thread reader = new Thread(() -> {
            try {
                quiet.source().read(ByteBuffer.allocate(1));
            } catch (ClosedByInterruptException e) {
                System.out.println("interrupted");
            } catch (IOException e) {
                e.printStackTrace();
            }
        });
        reader.start();
        reader.interrupt();
        reader.join();
    }

    static void processes() throws Exception {
        for (String command : new String[] {"cat; echo error >&2; exit 3", "seq 100000 | sort -r | tail -n 1", "kill -9 $$"}) {
            Process process = new ProcessBuilder("sh", "-c", command).redirectErrorStream(true).start();
            process.getOutputStream().write("input\n".getBytes());
            try {
                process.getOutputStream().close();
            } catch (IOException e) {
                // It ended without having read.
            }
            System.out.print(new String(process.getInputStream().readAllBytes()));
            System.out.println("status " + process.waitFor());
        }
    }

    static void datagrams() throws Exception {
        try (DatagramChannel one = DatagramChannel.open().bind(new InetSocketAddress(HERE, 0));
                DatagramSocket other = new DatagramSocket()) {
            other.send(new DatagramPacket("datagram".getBytes(), 8, one.getLocalAddress()));
            ByteBuffer buffer = ByteBuffer.allocate(100);
            one.receive(buffer);
            System.out.println(new String(buffer.array(), 0, buffer.position()));
        }
    }

    public static void main(String[] args) throws Exception {
        threads();
        selector();
        files();
        processes();
        datagrams();
        System.exit(4);
    }
}
