package pace

import (
	std "container/list"
	"math/rand/v2"
	"testing"
)

// A list does what that of container/list does.
func TestList(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var l list[int]
	nodes := make([]node[int], 20)
	for i := range nodes {
		nodes[i].of = i
	}
	want := std.New()
	in := make(map[int]*std.Element)
	for range 10_000 {
		i := rnd.IntN(len(nodes))
		switch e := in[i]; {
		case e != nil || rnd.IntN(3) == 0:
			nodes[i].leave()
			if e != nil {
				want.Remove(e)
				delete(in, i)
			}
		case rnd.IntN(2) == 0:
			l.pushBack(&nodes[i])
			in[i] = want.PushBack(i)
		default:
			l.pushFront(&nodes[i])
			in[i] = want.PushFront(i)
		}
		n, e := l.first, want.Front()
		for ; n != nil && e != nil; n, e = n.next, e.Next() {
			if n.of != e.Value || n.in != &l || n.next == nil && l.last != n {
				t.Fatalf("the list has %d; want %d", n.of, e.Value)
			}
		}
		if n != nil || e != nil || l.n != want.Len() {
			t.Fatalf("the list has %d; want %d", l.n, want.Len())
		}
	}
}
