package PortageMysqlSetup;

=pod

=head1 NAME

PortageMysqlSetup - what a MySQL or MariaDB server needs before it starts

=head1 DESCRIPTION

For PortageMysql, which see.

=over

=item mysql_program()

The server program of this run: C<< { path, mariadb, flavour } >>.

=item mysql_initialised($folder, @arguments)

Make this data directory, by copying one that was initialised with these
arguments: whoever needs it first in a run of the tests makes it.

=item mysql_settings(%options)

A my.cnf as text: folder, data_dir, socket, port; tls => 1; further => lines.

=item mysql_certify($folder)

Files ca.pem, server.pem and server.key for 127.0.0.1 and localhost in this
folder, and bad_ca.pem, which has signed nothing.

=back

=cut

use strict;
use warnings;

use Carp;
use Exporter 'import';
use Fcntl qw(LOCK_EX);
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT =
  qw(mysql_program mysql_initialised mysql_settings mysql_certify);

my $program;

# The program, asked once.
sub mysql_program
{
	return $program if defined $program;

	my $path = $ENV{PORTAGE_MYSQLD} // 'mariadbd';
	my ($out, $err) = ('', '');
	IPC::Run::run([ $path, '--no-defaults', '--version' ],
		'>', \$out, '2>', \$err) || croak("$path --version: $err");
	my ($version) = $out =~ /Ver (\d+\.\d+\.\d+)/
	  or croak("$path --version says: $out");
	my $mariadb = $out =~ /mariadb/i ? 1 : 0;

	$program = {
		path => $path,
		mariadb => $mariadb,
		flavour => ($mariadb ? 'MariaDB' : 'MySQL') . " $version"
	};
	# Those who ask for another server want to see that they got it.
	my $say = defined $ENV{PORTAGE_MYSQLD} ? \&diag : \&note;
	$say->("target server: $program->{flavour}");
	return $program;
}

sub mysql_initialised
{
	my ($folder, @arguments) = @_;
	run_program('cp', '-R', '--reflink=auto', '--sparse=always',
		template(@arguments), $folder);
	return;
}

sub template
{
	my (@arguments) = @_;
	my $name = join('', 'mysql-template', @arguments) =~ s/[^\w.=-]/_/gr;
	my $folder = "$PostgreSQL::Test::Utils::tmp_check/$name";

	open(my $lock, '>>', "$folder.lock") || croak("$folder.lock: $!");
	flock($lock, LOCK_EX) || croak("$folder.lock: $!");
	return $folder if -d $folder;

	my @command =
	  mysql_program()->{mariadb}
	  ? (
		$ENV{PORTAGE_MYSQL_INSTALL_DB} // 'mariadb-install-db',
		'--no-defaults', "--datadir=$folder.new",
		'--auth-root-authentication-method=normal', '--skip-test-db',
		'--innodb-log-file-size=8M', '--innodb-autoextend-increment=1')
	  : (
		mysql_program()->{path}, '--no-defaults', '--initialize-insecure',
		"--datadir=$folder.new", '--innodb-redo-log-capacity=8M',
		'--innodb-autoextend-increment=1', '--disable-log-bin',
		'--secure-file-priv=NULL');
	run_program('rm', '-rf', "$folder.new");
	run_program(@command, @arguments);
	rename("$folder.new", $folder) || croak("$folder: $!");
	return $folder;
}

sub mysql_settings
{
	my (%options) = @_;
	my $own = mysql_program()->{mariadb} ? <<'MARIADB' : <<'MYSQL';
innodb_log_file_size = 48M
MARIADB
innodb_redo_log_capacity = 96M
disable_log_bin
mysqlx = OFF
local_infile = ON
secure_file_priv = NULL
MYSQL
	my $tls = $options{tls} ? <<"TLS" : '';
ssl_ca = $options{folder}/ca.pem
ssl_cert = $options{folder}/server.pem
ssl_key = $options{folder}/server.key
TLS

	return <<"CONF" . $own . $tls . $options{further} . "\n";
[mysqld]
datadir = $options{data_dir}
tmpdir = $options{folder}
socket = $options{socket}
pid_file = $options{folder}/mysqld.pid
bind_address = 127.0.0.1
port = $options{port}
skip_name_resolve
performance_schema = OFF
max_connections = 60
innodb_buffer_pool_size = 64M
CONF
}

# Two authorities, and a certificate of the first one for the server.
sub mysql_certify
{
	my ($folder) = @_;
	my @key = ('-newkey', 'rsa:2048', '-nodes', '-days', '30');

	foreach my $authority ('ca', 'bad_ca')
	{
		openssl('req', '-x509', @key, '-subj', "/CN=portage $authority",
			'-keyout', "$folder/$authority.key", '-out',
			"$folder/$authority.pem");
	}
	append_to_file("$folder/names",
		"subjectAltName = IP:127.0.0.1, DNS:localhost\n");
	openssl('req', @key, '-subj', '/CN=portage server', '-keyout',
		"$folder/server.key", '-out', "$folder/server.req");
	openssl('x509', '-req', '-days', '30', '-in', "$folder/server.req",
		'-CA', "$folder/ca.pem", '-CAkey', "$folder/ca.key",
		'-CAcreateserial', '-extfile', "$folder/names", '-out',
		"$folder/server.pem");
	return;
}

sub openssl
{
	run_program('openssl', @_);
	return;
}

sub run_program
{
	my (@command) = @_;
	my $log = '';
	IPC::Run::run(\@command, '<', '/dev/null', '>&', \$log)
	  || croak("@command:\n$log");
	return;
}

1;
