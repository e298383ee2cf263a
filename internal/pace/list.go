package pace

// A list is linked in both ways. What stands in it brings its own node, so that it
// leaves from the middle at once, and costs no allocation.
type list[E any] struct {
	first, last *node[E]
	n           int
}

// A node is the place of one E in a list, or in none.
type node[E any] struct {
	of         E
	in         *list[E] // nil while it is in none
	prev, next *node[E]
}

// pushBack puts n, which is in no list, at the end of l.
func (l *list[E]) pushBack(n *node[E]) { l.insert(n, l.last, nil) }

// pushFront puts n, which is in no list, at the beginning of l.
func (l *list[E]) pushFront(n *node[E]) { l.insert(n, nil, l.first) }

func (l *list[E]) insert(n, prev, next *node[E]) {
	n.in, n.prev, n.next = l, prev, next
	if prev == nil {
		l.first = n
	} else {
		prev.next = n
	}
	if next == nil {
		l.last = n
	} else {
		next.prev = n
	}
	l.n++
}

// leave takes n out of the list that it is in, if any.
func (n *node[E]) leave() {
	l := n.in
	if l == nil {
		return
	}
	if n.prev == nil {
		l.first = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.last = n.prev
	} else {
		n.next.prev = n.prev
	}
	l.n--
	n.in, n.prev, n.next = nil, nil, nil
}
