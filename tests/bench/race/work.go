// work.go: the kinds of work of work.h and goroutines.c in Go, sizes and checksums the same (bintree leaves its
// trees to the collector; wc and shmap hash as the C programs do). Usage: work KIND|ROW.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

const threads = 2

func nextRandom(s *uint64) uint64 {
	*s ^= *s >> 12
	*s ^= *s << 25
	*s ^= *s >> 27
	return *s * 2685821657736338717
}

func onThreads(f func(id int)) {
	var wg sync.WaitGroup
	wg.Add(threads)
	for i := 0; i < threads; i++ {
		go func(id int) { f(id); wg.Done() }(i)
	}
	wg.Wait()
}

// ---- numeric.c ----
const matN = 880

var matA, matB, matC [matN][matN]float64

func matmul() uint64 {
	for i := 0; i < matN; i++ {
		for j := 0; j < matN; j++ {
			matA[i][j] = float64(i + j)
			matB[i][j] = float64(i - j)
		}
	}
	onThreads(func(id int) {
		for i := id; i < matN; i += threads {
			for k := 0; k < matN; k++ {
				for j := 0; j < matN; j++ {
					matC[i][j] += matA[i][k] * matB[k][j]
				}
			}
		}
	})
	sum := 0.0
	for i := 0; i < matN; i++ {
		sum += matC[i][(i*7)%matN]
	}
	return uint64(int64(sum))
}

const stW, stH, sweeps = 1024, 512, 600

var grid [2][stH][stW]float64

// A barrier as pthreads have it.
type barrier struct {
	mu    sync.Mutex
	all   *sync.Cond
	n     int
	phase int
}

func (b *barrier) wait() {
	b.mu.Lock()
	phase := b.phase
	if b.n++; b.n == threads {
		b.n = 0
		b.phase++
		b.all.Broadcast()
	}
	for b.phase == phase {
		b.all.Wait()
	}
	b.mu.Unlock()
}

func stencil() uint64 {
	for x := 0; x < stW; x++ {
		grid[0][0][x], grid[1][0][x] = 1000, 1000
	}
	b := &barrier{}
	b.all = sync.NewCond(&b.mu)
	onThreads(func(id int) {
		lo, hi := 1+id*(stH-2)/threads, 1+(id+1)*(stH-2)/threads
		for s := 0; s < sweeps; s++ {
			from, to := &grid[s&1], &grid[(s+1)&1]
			for y := lo; y < hi; y++ {
				for x := 1; x < stW-1; x++ {
					to[y][x] = 0.25 * (from[y-1][x] + from[y+1][x] + from[y][x-1] + from[y][x+1])
				}
			}
			b.wait()
		}
	})
	return uint64(grid[0][10][stW/2] * 1000)
}

const buf, rounds = 3 << 20, 10

func bytesKind() uint64 {
	var table [256]uint32
	for i := range table {
		c := uint32(i)
		for k := 0; k < 8; k++ {
			if c&1 != 0 {
				c = 0xedb88320 ^ c>>1
			} else {
				c >>= 1
			}
		}
		table[i] = c
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var sums [threads]uint64
	onThreads(func(id int) {
		in, out := make([]byte, buf), make([]byte, buf/3*4)
		seed := 1 + uint64(id)
		crc := ^uint32(0)
		for i := range in {
			in[i] = byte(nextRandom(&seed) >> 56)
		}
		for r := 0; r < rounds; r++ {
			o := 0
			for i := 0; i < buf; i += 3 {
				v := uint32(in[i])<<16 | uint32(in[i+1])<<8 | uint32(in[i+2])
				out[o] = alphabet[v>>18]
				out[o+1] = alphabet[v>>12&63]
				out[o+2] = alphabet[v>>6&63]
				out[o+3] = alphabet[v&63]
				o += 4
			}
			for i := 0; i < o; i++ {
				crc = table[byte(crc)^out[i]] ^ crc>>8
			}
		}
		sums[id] = uint64(crc)
	})
	return sums[0] ^ sums[1]
}

// ---- data.c ----
type entry struct {
	next       *entry
	key, value uint64
}
type shard struct {
	lock   sync.Mutex
	bucket [1024]*entry
}

func hashMap(workers, ops int) uint64 {
	shards := make([]shard, 64)
	var wg sync.WaitGroup
	wg.Add(workers)
	for id := 0; id < workers; id++ {
		go func(id int) {
			seed := 77 + uint64(id)
			for i := 0; i < ops; i++ {
				key := nextRandom(&seed) % 100000
				h := key * 0x9e3779b97f4a7c15
				s := &shards[h>>58]
				s.lock.Lock()
				b := &s.bucket[(h>>40)%1024]
				e := *b
				for e != nil && e.key != key {
					e = e.next
				}
				if e == nil {
					e = &entry{*b, key, 0}
					*b = e
				}
				e.value++
				s.lock.Unlock()
			}
			wg.Done()
		}(id)
	}
	wg.Wait()
	sum := uint64(0)
	for i := range shards {
		for _, e := range shards[i].bucket {
			for ; e != nil; e = e.next {
				sum += e.value
			}
		}
	}
	return sum
}

func shmap() uint64 { return hashMap(threads, 3000000) }

const elements = 2200000

func merge(a, tmp []int32, mid int) {
	i, j, o := 0, mid, 0
	for i < mid && j < len(a) {
		if a[i] <= a[j] {
			tmp[o] = a[i]
			i++
		} else {
			tmp[o] = a[j]
			j++
		}
		o++
	}
	for i < mid {
		tmp[o] = a[i]
		i, o = i+1, o+1
	}
	for j < len(a) {
		tmp[o] = a[j]
		j, o = j+1, o+1
	}
	copy(a, tmp[:len(a)])
}
func sortHalf(a, tmp []int32) {
	n := len(a)
	if n < 2 {
		return
	}
	sortHalf(a[:n/2], tmp[:n/2])
	sortHalf(a[n/2:], tmp[n/2:])
	merge(a, tmp, n/2)
}
func msort() uint64 {
	seed, sum := uint64(5), uint64(0)
	a, tmp := make([]int32, elements), make([]int32, elements)
	for i := range a {
		a[i] = int32(nextRandom(&seed) >> 33)
	}
	onThreads(func(id int) {
		at := id * (elements / 2)
		sortHalf(a[at:at+elements/2], tmp[at:at+elements/2])
	})
	merge(a, tmp, elements/2)
	for i := 1; i < elements; i++ {
		sum += uint64(a[i]) * uint64(i)
	}
	return sum
}

const textSize, tableSize = 32 << 20, 1 << 14

type word struct {
	text  [16]byte
	count uint64
}

func wc() uint64 {
	seed, sum := uint64(9), uint64(0)
	text := make([]byte, textSize)
	for i := 0; i < textSize; {
		w := nextRandom(&seed) % 5000
		for k := 0; k < 3+int(w%6) && i < textSize; k++ {
			text[i] = 'a' + byte(w%26)
			i++
			w = w*31 + 7
		}
		if i < textSize {
			text[i] = ' '
			i++
		}
	}
	var tables [threads][]word
	onThreads(func(id int) {
		table := make([]word, tableSize)
		lo := id * (textSize / threads)
		hi := lo + textSize/threads
		for i := lo; i < hi; {
			var w [16]byte
			n, h := 0, uint32(2166136261)
			for i < hi && text[i] != ' ' {
				if n < 15 {
					w[n] = text[i]
					n++
					h = (h ^ uint32(text[i])) * 16777619
				}
				i++
			}
			i++
			if n == 0 {
				continue
			}
			at := h % tableSize
			for table[at].count != 0 && table[at].text != w {
				at = (at + 1) % tableSize
			}
			if table[at].count++; table[at].count == 1 {
				table[at].text = w
			}
		}
		tables[id] = table
	})
	for _, t := range tables {
		for i := range t {
			sum += t[i].count * uint64(1+int(t[i].text[0]))
		}
	}
	return sum
}

type tree struct {
	left, right *tree
	value       int32
}

func treeMake(depth int) *tree {
	t := &tree{value: int32(depth)}
	if depth > 0 {
		t.left, t.right = treeMake(depth-1), treeMake(depth-1)
	}
	return t
}
func treeSum(t *tree) uint64 {
	if t == nil {
		return 0
	}
	return uint64(t.value) + treeSum(t.left) + treeSum(t.right)
}
func bintree() uint64 {
	var sums [threads]uint64
	onThreads(func(id int) {
		for i := 0; i < 60; i++ {
			sums[id] += treeSum(treeMake(15))
		}
	})
	return sums[0] + sums[1]
}

type edge struct {
	next *edge
	to   int32
}

func graph() uint64 {
	const nodes, perNode, searches = 20000, 8, 200
	heads := make([]*edge, nodes)
	edges := make([]edge, nodes*perNode)
	seed := uint64(3)
	for i := range edges {
		edges[i] = edge{heads[i/perNode], int32(nextRandom(&seed) % nodes)}
		heads[i/perNode] = &edges[i]
	}
	var sums [threads]uint64
	onThreads(func(id int) {
		queue, dist := make([]int32, nodes), make([]int32, nodes)
		for s := 0; s < searches; s++ {
			for i := range dist {
				dist[i] = -1
			}
			head, tail, start := 0, 0, (id*7919+s*104729)%nodes
			dist[start] = 0
			queue[tail] = int32(start)
			tail++
			for head < tail {
				n := queue[head]
				head++
				for e := heads[n]; e != nil; e = e.next {
					if dist[e.to] < 0 {
						dist[e.to] = dist[n] + 1
						queue[tail] = e.to
						tail++
					}
				}
			}
			sums[id] += uint64(dist[queue[tail-1]]) + uint64(tail)
		}
	})
	return sums[0] + sums[1]
}

// ---- sync.c ----
func pcq() uint64 {
	const capacity, messages = 64, 3000000
	type message struct {
		id      uint64
		payload [3]uint64
	}
	var lock sync.Mutex
	var ring [capacity]message
	notFull, notEmpty := sync.NewCond(&lock), sync.NewCond(&lock)
	head, count := 0, 0
	sum := uint64(0)
	onThreads(func(id int) {
		if id == 0 {
			for i := uint64(0); i < messages; i++ {
				m := message{i, [3]uint64{i, i * 2, i * 3}}
				lock.Lock()
				for count == capacity {
					notFull.Wait()
				}
				ring[(head+count)%capacity] = m
				if count++; count == 1 {
					notEmpty.Signal()
				}
				lock.Unlock()
			}
			return
		}
		for i := 0; i < messages; i++ {
			lock.Lock()
			for count == 0 {
				notEmpty.Wait()
			}
			m := ring[head]
			head = (head + 1) % capacity
			if count--; count == capacity-1 {
				notFull.Signal()
			}
			lock.Unlock()
			sum += m.id + m.payload[2]
		}
	})
	return sum
}

func readsh() uint64 {
	const rows, lookups = 1 << 15, 26000000
	table := make([]uint64, rows)
	seed := uint64(11)
	for i := range table {
		table[i] = nextRandom(&seed) >> 20
	}
	var sums [threads]uint64
	onThreads(func(id int) {
		at, sum := 1+uint64(id), uint64(0)
		for i := 0; i < lookups; i++ {
			at = table[at%rows] + uint64(i)
			sum += at
		}
		sums[id] = sum
	})
	return sums[0] ^ sums[1]
}

func lockfree() uint64 {
	const ops, nNodes, ringSize = 5000000, 1024, 1024
	type node struct {
		next  uint32
		value uint64
	}
	var counters [8]uint64
	nodes := make([]node, nNodes)
	var top uint64
	var ring [ringSize]uint64
	var head, tail, sink uint64
	push := func(n uint32) {
		for {
			old := atomic.LoadUint64(&top)
			atomic.StoreUint32(&nodes[n].next, uint32(old))
			if atomic.CompareAndSwapUint64(&top, old, ((old>>32)+1)<<32|uint64(n+1)) {
				return
			}
		}
	}
	pop := func() int {
		for {
			old := atomic.LoadUint64(&top)
			if uint32(old) == 0 {
				return -1
			}
			next := atomic.LoadUint32(&nodes[uint32(old)-1].next)
			if atomic.CompareAndSwapUint64(&top, old, ((old>>32)+1)<<32|uint64(next)) {
				return int(uint32(old) - 1)
			}
		}
	}
	for i := uint32(0); i < nNodes; i++ {
		push(i)
	}
	onThreads(func(id int) {
		for i := 0; i < ops; i++ {
			atomic.AddUint64(&counters[i&7], 1)
			if n := pop(); n >= 0 {
				nodes[n].value++
				push(uint32(n))
			}
			if id == 0 {
				if t := atomic.LoadUint64(&tail); t-atomic.LoadUint64(&head) < ringSize {
					ring[t%ringSize] = uint64(i)
					atomic.StoreUint64(&tail, t+1)
				}
			} else if h := atomic.LoadUint64(&head); h != atomic.LoadUint64(&tail) {
				sink += ring[h%ringSize]
				atomic.StoreUint64(&head, h+1)
			}
		}
	})
	sum := uint64(0)
	for i := range counters {
		sum += counters[i]
	}
	return sum
}

// ---- goroutines.c ----
func gshmap() uint64 { return hashMap(8, 800000) }

type record struct {
	id, sum uint64
	hops    uint32
}

func gpipe() uint64 {
	const stages, depth, records = 8, 64, 600000
	spare, in := make(chan *record, stages*depth), make(chan *record, depth)
	for i := 0; i < stages*depth; i++ {
		spare <- &record{}
	}
	go func(out chan *record) {
		for i := uint64(0); i < records; i++ {
			r := <-spare
			*r = record{i, 1, 0}
			out <- r
		}
		close(out)
	}(in)
	for i := 0; i < stages; i++ {
		out := make(chan *record, depth)
		go func(in, out chan *record) {
			for r := range in {
				r.sum = r.sum*31 + r.id
				r.hops++
				out <- r
			}
			close(out)
		}(in, out)
		in = out
	}
	sum := uint64(0)
	for r := range in {
		sum = (sum + r.sum + uint64(r.hops)) % 1000003
		spare <- r
	}
	return sum
}

func gfan() uint64 {
	const fan, tasksN, words = 8, 200000, 1024
	tasks, results := make(chan int, 16), make(chan uint64, 16)
	go func() {
		for i := 0; i < tasksN; i++ {
			tasks <- i
		}
		close(tasks)
	}()
	for i := 0; i < fan; i++ {
		go func() {
			buf := make([]uint32, words)
			for task := range tasks {
				sum := uint64(0)
				for i := range buf {
					buf[i] = uint32(task)*2654435761 + uint32(i)
				}
				for i := 1; i < words; i++ {
					buf[i] ^= buf[i-1] >> 3
					sum += uint64(buf[i])
				}
				results <- sum
			}
		}()
	}
	sum := uint64(0)
	for i := 0; i < tasksN; i++ {
		sum += <-results
	}
	return sum % 1000003
}

type job struct {
	next   *job
	n      uint32
	result uint64
}

func gpool() uint64 {
	const workers, batches, jobsN = 8, 12000, 64
	var lock sync.Mutex
	ready := sync.NewCond(&lock)
	var first *job
	closed := false
	var done, wg sync.WaitGroup
	wg.Add(workers)
	for i := 0; i < workers; i++ {
		go func() {
			defer wg.Done()
			for {
				lock.Lock()
				for first == nil && !closed {
					ready.Wait()
				}
				j := first
				if j != nil {
					first = j.next
				}
				lock.Unlock()
				if j == nil {
					return
				}
				steps := uint64(0)
				for n := uint64(j.n); n > 1; steps++ {
					if n&1 != 0 {
						n = 3*n + 1
					} else {
						n /= 2
					}
				}
				j.result = steps
				done.Done()
			}
		}()
	}
	var jobs [jobsN]job
	sum := uint64(0)
	for b := uint32(0); b < batches; b++ {
		done.Add(jobsN)
		for i := uint32(0); i < jobsN; i++ {
			lock.Lock()
			jobs[i] = job{first, 1 + b*jobsN + i, 0}
			first = &jobs[i]
			lock.Unlock()
			ready.Signal()
		}
		done.Wait()
		for i := range jobs {
			sum += jobs[i].result
		}
	}
	lock.Lock()
	closed = true
	lock.Unlock()
	ready.Broadcast()
	wg.Wait()
	return sum
}

func gsieve() uint64 {
	c := make(chan int)
	go func(out chan int) {
		for i := 2; ; i++ {
			out <- i
		}
	}(c)
	prime := 0
	for i := 0; i < 2300; i++ {
		prime = <-c
		next := make(chan int)
		go func(in, out chan int, prime int) {
			for {
				if i := <-in; i%prime != 0 {
					out <- i
				}
			}
		}(c, next, prime)
		c = next
	}
	return uint64(prime)
}

// ---- rows ----
func cpuNs() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec+u.Stime.Sec)*1e9 + float64(u.Utime.Usec+u.Stime.Usec)*1e3
}

func lockRow() float64 {
	var m sync.Mutex
	const n = 5000000
	t0 := cpuNs()
	for i := 0; i < n; i++ {
		m.Lock()
		m.Unlock()
	}
	return (cpuNs() - t0) / n
}
func addRow() float64 {
	var v uint64
	const n = 10000000
	t0 := cpuNs()
	for i := 0; i < n; i++ {
		atomic.AddUint64(&v, 1)
	}
	return (cpuNs() - t0) / n
}
func spawnRow() float64 {
	const n, batch = 500000, 100
	t0 := cpuNs()
	for b := 0; b < n/batch; b++ {
		var wg sync.WaitGroup
		wg.Add(batch)
		for i := 0; i < batch; i++ {
			go wg.Done()
		}
		wg.Wait()
	}
	return (cpuNs() - t0) / n
}
func pingpongRow() float64 {
	const n = 1000000
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	t0 := cpuNs()
	for i := 0; i < n; i++ {
		ping <- i
		<-pong
	}
	return (cpuNs() - t0) / n
}
func pipelineRow() float64 {
	const items, hops = 400000, 10
	c := make(chan int, 128)
	t0 := cpuNs()
	go func(out chan int) {
		for i := 0; i < items; i++ {
			out <- i
		}
		close(out)
	}(c)
	for i := 1; i < hops; i++ {
		next := make(chan int, 128)
		go func(in, out chan int) {
			for v := range in {
				out <- v + 1
			}
			close(out)
		}(c, next)
		c = next
	}
	sum := 0
	for v := range c {
		sum += v
	}
	if sum != items*(items-1)/2+items*(hops-1) {
		panic("sum")
	}
	return (cpuNs() - t0) / (items * hops)
}
func parkedRow() float64 {
	c := make(chan int)
	t0 := cpuNs()
	for i := 0; i < 100000; i++ {
		go func() { <-c }()
	}
	runtime.Gosched()
	return (cpuNs() - t0) / 100000
}

func main() {
	kinds := map[string]func() uint64{"matmul": matmul, "stencil": stencil, "shmap": shmap, "msort": msort, "pcq": pcq,
		"wc": wc, "bintree": bintree, "readsh": readsh, "bytes": bytesKind, "graph": graph, "lockfree": lockfree,
		"gshmap": gshmap, "gpipe": gpipe, "gfan": gfan, "gpool": gpool, "gsieve": gsieve}
	rows := map[string]func() float64{"lock": lockRow, "add": addRow, "spawn": spawnRow, "pingpong": pingpongRow,
		"pipeline": pipelineRow, "parked": parkedRow, "empty": func() float64 { return 0 }}
	if len(os.Args) > 1 {
		if f := kinds[os.Args[1]]; f != nil {
			fmt.Println(os.Args[1], f())
			return
		}
		if f := rows[os.Args[1]]; f != nil {
			runtime.GOMAXPROCS(1)
			fmt.Printf("%.1f\n", f())
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: work KIND|ROW")
	os.Exit(1)
}
