package release

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A buildah builds images in a folder of its own. They need no daemon and, with
// this isolation and storage, neither namespaces nor a kernel with overlays.
type buildah struct{ dir string }

func (b buildah) run(t *testing.T, args ...string) string {
	t.Helper()
	all := append([]string{"buildah", "--root", filepath.Join(b.dir, "root"), "--runroot", filepath.Join(b.dir, "runroot")}, args...)
	return strings.TrimSpace(string(run(t, b.dir, []string{"STORAGE_DRIVER=vfs", "BUILDAH_ISOLATION=chroot"}, all...)))
}

// newBuildah skips the test where it cannot build images, and fails it on the
// machine that decides whether a change may land.
func newBuildah(t *testing.T) buildah {
	t.Helper()
	for _, need := range []string{"buildah", "busybox"} {
		if _, err := exec.LookPath(need); err != nil || os.Getuid() != 0 {
			if os.Getenv("CI") == "true" {
				t.Fatal("needs root and Debian's buildah and busybox-static")
			}
			t.Skip("needs root and Debian's buildah and busybox-static")
		}
	}
	b := buildah{t.TempDir()}
	t.Cleanup(func() { // the context of t has ended here
		exec.Command("buildah", "--root", filepath.Join(b.dir, "root"), "--runroot", filepath.Join(b.dir, "runroot"), "rm", "--all").Run()
	})
	return b
}

// builder makes an image that stands in for that of Go, which would come from a
// registry: with a shell, and the given roots as those of the system. Go itself
// is put there during the build.
func (b buildah) builder(t *testing.T, roots []byte) (image string) {
	t.Helper()
	file := filepath.Join(b.dir, "ca-certificates.crt")
	if err := os.WriteFile(file, roots, 0o644); err != nil {
		t.Fatal(err)
	}
	shell, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	c := b.run(t, "from", "scratch")
	b.run(t, "copy", c, shell, "/bin/sh")
	b.run(t, "copy", c, shell, "/bin/mkdir")
	b.run(t, "copy", c, file, "/etc/ssl/certs/")
	b.run(t, "config", "--env", "PATH=/usr/local/go/bin:/bin", "--env", "GOPATH=/go", "--env", "GOCACHE=/cache", c)
	b.run(t, "commit", c, "localhost/builder")
	return "localhost/builder"
}

// build makes an image of a stage of the Dockerfile, and returns its files, the
// program in it with its arguments, and as whom it runs.
func (b buildah) build(t *testing.T, builder, stage string) (files string, entry []string, user string) {
	t.Helper()
	repo := filepath.Dir(strings.TrimSpace(string(run(t, ".", nil, "go", "env", "GOWORK"))))
	dirs := strings.Fields(string(run(t, ".", nil, "go", "env", "GOROOT", "GOMODCACHE", "GOCACHE")))
	b.run(t, "bud", "--layers", "--build-arg", "BUILDER="+builder, "--target", stage, "-t", stage,
		"-v", dirs[0]+":/usr/local/go:ro", "-v", dirs[1]+":/go/pkg/mod", "-v", dirs[2]+":/cache", "-v", t.TempDir()+":/tmp", repo)
	var image struct {
		OCIv1 struct {
			Config struct {
				User       string
				Entrypoint []string
			}
		}
	}
	if err := json.Unmarshal([]byte(b.run(t, "inspect", "--type", "image", stage)), &image); err != nil {
		t.Fatal(err)
	}
	return b.run(t, "mount", b.run(t, "from", stage)), image.OCIv1.Config.Entrypoint, image.OCIv1.Config.User
}

var listening = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// start runs the program of an image within its files, as the user whom it
// names, and returns where it listens, and a function that ends it.
func start(t *testing.T, files string, args []string, user string) (addr string, stop func() error) {
	t.Helper()
	var id uint32
	if _, err := fmt.Sscanf(user, "%d:", &id); err != nil || id == 0 {
		t.Fatalf("the user of the image is %q; want a number that is not root's", user)
	}
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: files, Credential: &syscall.Credential{Uid: id, Gid: id}}
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		w.Close()
		exited <- err
	}()
	var said []string
	for lines := bufio.NewScanner(r); addr == "" && lines.Scan(); {
		said = append(said, lines.Text())
		addr = listening.FindString(lines.Text())
	}
	if addr == "" {
		t.Fatalf("%q ended with %v and said %q; want where it listens", args, <-exited, said)
	}
	go io.Copy(io.Discard, r) // it ends when the program does
	return addr, func() error {
		cmd.Process.Signal(syscall.SIGTERM)
		return <-exited
	}
}

// ask asks again until the answer has want in it, for ten seconds.
func ask(t *testing.T, method, url, body, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got []byte
	for ctx.Err() == nil && !strings.Contains(string(got), want) {
		req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if resp, err := http.DefaultClient.Do(req); err == nil {
			got, _ = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !strings.Contains(string(got), want) {
		t.Errorf("%s %s %s = %s; want %s", method, url, body, got, want)
	}
}

// The images of the Dockerfile are built from it, and their programs run with the
// files that are in them: the roots with which a site is verified, and a folder
// that the user of the program may write to.
func TestImages(t *testing.T) {
	b := newBuildah(t)
	site := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer site.Close()
	target := site.URL + "/"
	builder := b.builder(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw}))
	for _, test := range []struct {
		stage              string
		args               []string
		method, path, body string
		want               string
		left               string // a file that the program made
	}{
		{"exporter", []string{"-f", "/sites.txt"}, "GET", "/metrics", "", `probe_success{target="` + target + `"} 1`, ""},
		{"statuspage", []string{"-f", "/sites.txt", "-db", "/data/history.db"}, "GET", "/api/status.json", "", `"online"`, "data/history.db"},
		{"linkcheck-service", nil, "POST", "/check", `{"url":"` + target + `"}`, `"reason":"blocked"`, ""},
	} {
		t.Run(test.stage, func(t *testing.T) {
			files, entry, user := b.build(t, builder, test.stage)
			if err := os.WriteFile(filepath.Join(files, "sites.txt"), []byte(target+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			addr, stop := start(t, files, append(append(entry, test.args...), "-addr", "127.0.0.1:0"), user)
			ask(t, test.method, "http://"+addr+test.path, test.body, test.want)
			if err := stop(); err != nil {
				t.Errorf("%s ended with %v after SIGTERM; want status 0", test.stage, err)
			}
			if _, err := os.Stat(filepath.Join(files, test.left)); err != nil {
				t.Error(err)
			}
		})
	}
}
