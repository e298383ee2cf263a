// Package e2e holds tests of the library against the real world: the servers
// nginx, Apache httpd, HAProxy and OpenSSL as Debian packages them, what curl and
// Chromium make of the same answers, and a kernel whose links, routes and limits are
// bad. The tests start the servers themselves, on loopback and without a look at the
// system's configuration. The folder soak has a program that checks many sites for
// a long time.
//
// It is a module of its own, so that nothing here is a requirement of the
// library's users.
package e2e
