# Perl's own calls: sockets, fork, pipes, select, files.  Prints what does not depend on time or on numbers of processes.
use strict;
use warnings;
use Fcntl;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use IPC::Open3;
use POSIX ();
use Socket;

$| = 1;
my $failures = 0;
sub check {
    my ($what, $holds) = @_;
    print "$what: ", ($holds ? "as it should be" : "WRONG"), "\n";
    $failures++ unless $holds;
}

# A server in a child, ten clients side by side.
my $server = IO::Socket::INET->new(Listen => 20, LocalAddr => "127.0.0.1") or die "listen: $!";
my $child = fork // die;
if ($child == 0) {
    my $select = IO::Select->new($server);
    my $ended = 0;
    while ($ended < 10) {
        for my $handle ($select->can_read) {
            if ($handle == $server) {
                $select->add(scalar $server->accept);
            } elsif (sysread $handle, my $bytes, 4096) {
                syswrite $handle, uc $bytes;
            } else {
                $select->remove($handle);
                close $handle;
                $ended++;
            }
        }
    }
    POSIX::_exit(0);
}
my @clients = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $server->sockport) or die "connect: $!" } 1 .. 10;
print {$_} "hello from a client\n" for @clients;
my @answers = map { scalar readline $_ } @clients;
check "echo", !grep { $_ ne "HELLO FROM A CLIENT\n" } @answers;
close $_ for @clients;
waitpid $child, 0;
check "the server's end", $? == 0;

# Much through a pair, by a child that reads slowly.
socketpair my $left, my $right, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die;
if (($child = fork // die) == 0) {
    close $left;
    my $count = 0;
    while (my $n = sysread $right, my $bytes, 1000) { $count += $n }
    syswrite $right, $count;
    POSIX::_exit(3);
}
close $right;
my $text = "x" x 3_000_000;
my $at = 0;
while ($at < length $text) { $at += syswrite $left, $text, 70_000, $at }
shutdown $left, 1;
sysread $left, my $count, 100;
waitpid $child, 0;
check "bytes through a pair", $count == 3_000_000 && $? >> 8 == 3;

# Without waiting.
pipe my $from, my $to or die;
fcntl $from, F_SETFL, O_NONBLOCK or die;
my $n = sysread $from, my $nothing, 10;
check "an empty pipe", !defined $n && $!{EAGAIN};
check "select, empty", !defined IO::Select->new($from)->can_read(0.01);
syswrite $to, "some";
check "select, not empty", (IO::Select->new($from)->can_read(60))[0] == $from;
close $to;
check "the rest and the end", sysread($from, $nothing, 10) == 4 && sysread($from, $nothing, 10) == 0;
close $from;
open my $readable, "<", $0 or die;
{
    no warnings;
    $n = syswrite $readable, "x";
    check "a file that is open for reading", !defined $n && $!{EBADF};
}

# Datagrams, and a connection that is refused.
socket my $one, PF_INET, SOCK_DGRAM, 0 or die;
bind $one, sockaddr_in(0, INADDR_LOOPBACK) or die;
socket my $two, PF_INET, SOCK_DGRAM, 0 or die;
send $two, "datagram", 0, getsockname $one or die;
my $sender = recv $one, my $datagram, 100, 0;
check "a datagram", $datagram eq "datagram" && length $sender;
my $port = $server->sockport;
close $server;
check "nobody listens", !IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) && $!{ECONNREFUSED};
my $path = "socket";
my $local = IO::Socket::UNIX->new(Local => $path, Listen => 1) or die;
my $peer = IO::Socket::UNIX->new(Peer => $path) or die;
my $accepted = $local->accept;
print $peer "local\n";
$peer->flush;
check "a local socket", readline($accepted) eq "local\n";
{
    local $SIG{PIPE} = sub { $failures-- };
    $failures++;
    close $accepted;
    1 while syswrite $peer, "x";
    check "the peer is gone", $!{EPIPE};
}

# Programs.
my $pid = open3(my $in, my $out, undef, "sort", "-r");
print $in "$_\n" for 1 .. 5;
close $in;
print "sorted: ", join(" ", map { chomp; $_ } readline $out), "\n";
waitpid $pid, 0;
print `seq 3 | tail -n 1; exit 4`, $? >> 8, "\n";
open my $pipe, "-|", "cat", $0 or die;
my @lines = <$pipe>;
close $pipe;
check "this script through cat", @lines > 100;
local $SIG{ALRM} = sub { die "alarm\n" };
pipe my $quiet, my $unused or die;
eval { alarm 1; sysread $quiet, my $never, 1 };
check "alarm ends a read", $@ eq "alarm\n";
open my $dup, ">&", \*STDOUT or die;
print $dup "by a duplicate\n";
close $dup;
open my $temporary, "+>", undef or die;
print $temporary "temporary";
seek $temporary, 4, 0;
check "a temporary file", readline($temporary) eq "orary";
exit($failures != 0);
