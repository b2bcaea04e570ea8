#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# serve.sh BYTES: on the emulated host, a web server at port 8080 of the loopback
# interface, which guests with --net user find at 10.0.2.2:
#   /file /file.sum     BYTES bytes, and their SHA-256
#   /cgi-bin/sum        answers a POST with the SHA-256 of what came
#   /cgi-bin/keep?NAME  what was posted, as /out/NAME
#   /cgi-bin/stat?NAME  the counters of the guest "demo", to /out/NAME.csv
#   /cgi-bin/without?NAMES
#                       switches optimisations of the guest "demo" off, and others on

set -e
www=/tmp/www
mkdir -p $www/cgi-bin
head -c "$1" /dev/urandom >$www/file
sha256sum <$www/file | cut -d ' ' -f 1 >$www/file.sum

cat >$www/cgi-bin/sum <<-'END'
	#!/bin/sh
	printf 'Content-Type: text/plain\r\n\r\n'
	head -c "$CONTENT_LENGTH" | sha256sum | cut -d ' ' -f 1
END
cat >$www/cgi-bin/keep <<-'END'
	#!/bin/sh
	printf 'Content-Type: text/plain\r\n\r\n'
	head -c "$CONTENT_LENGTH" >"/out/$QUERY_STRING"
END

cat >$www/cgi-bin/stat <<-'END'
	#!/bin/sh
	printf 'Content-Type: text/plain\r\n\r\n'
	vmctl stat --name demo --csv >"/out/$QUERY_STRING.csv"
END

cat >$www/cgi-bin/without <<-'END'
	#!/bin/sh
	printf 'Content-Type: text/plain\r\n\r\n'
	vmctl debug --name demo without "$QUERY_STRING"
END
chmod +x $www/cgi-bin/*
httpd -p 127.0.0.1:8080 -h $www
