// recall.go: the programs of recall.c that Go can say, in Go. step and after force an order that go -race does
// not see: plain accesses of functions that it leaves alone.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

var level int

//go:norace
//go:noinline
func step(n int) {
	level = n
}

//go:norace
//go:noinline
func after(n int) {
	for level < n {
		runtime.Gosched()
	}
}

var (
	runNumber = 1
	x, sink   int
	m         sync.Mutex
	started   sync.WaitGroup
)

func start(f func(int), i int) {
	started.Add(1)
	go func() {
		f(i)
		started.Done()
	}()
}
func join()                         { started.Wait() }
func startApart(f func(int), i int) { go f(i) }

//go:noinline
func writeX() { x = 1 }

//go:noinline
func readX() int { return x }

// ---- distance ----

var many [65536]byte

//go:noinline
func touch(n int) {
	for i := 0; i < n; i++ {
		many[i%len(many)]++
	}
}

var calls int

//go:noinline
func callNothing() int { return calls }

func writeAndTouch(n int) {
	writeX()
	touch(n)
	step(1)
}
func writeAndCall(n int) {
	writeX()
	for i := 0; i < n; i++ {
		callNothing()
	}
	step(1)
}
func writeAndLock(n int) {
	var own sync.Mutex
	writeX()
	for i := 0; i < n; i++ {
		own.Lock()
		own.Unlock()
	}
	step(1)
}
func onlyWrite(i int) {
	writeX()
	step(1 + i)
}
func thenRead(f func(int), n int) func() {
	return func() {
		startApart(f, n)
		after(1)
		readX()
	}
}

var counter int

func brief(i int) {
	m.Lock()
	counter += i
	m.Unlock()
}
func comeAndGone(n int) func() {
	return func() {
		startApart(onlyWrite, 0)
		after(1)
		for i := 0; i < n; i++ {
			start(brief, i)
			join()
		}
		readX()
	}
}

var gate sync.Mutex

func briefThenWait(i int) {
	brief(i)
	step(2 + i)
	gate.Lock()
	gate.Unlock()
}
func alive1000() {
	gate.Lock()
	startApart(onlyWrite, 0)
	after(1)
	for i := 0; i < 1000; i++ {
		start(briefThenWait, i)
		after(2 + i)
	}
	readX()
	gate.Unlock()
	join()
}

// ---- many readers, bytes, words ----

func reader(i int) {
	readX()
	step(1 + i)
}
func readers(n, outsider int) {
	for i := 0; i < n; i++ {
		if i == outsider {
			startApart(reader, i)
		} else {
			start(reader, i)
		}
		after(1 + i)
	}
	join()
	writeX()
}

var bytes struct {
	_ uint64
	b [8]byte
}

//go:noinline
func writeByte(i int) { bytes.b[i] = 1 }

func byteWriter(i int) {
	writeByte(i)
	step(1 + i)
}
func eightBytes(others int, last func() int) func() {
	return func() {
		for i := 0; i < others; i++ {
			startApart(byteWriter, i)
			after(1 + i)
		}
		writeByte(last())
	}
}

var word struct {
	_    uint64
	a, b int16
}

//go:noinline
func writeA() { word.a = 1 }

//go:noinline
func writeB() { word.b = 1 }

//go:noinline
func readA() int16 { return word.a }

//go:noinline
func readB() int16 { return word.b }

func wordWriter(i int) {
	writeA()
	writeB()
	step(1 + i)
}
func twoInAWord() {
	startApart(wordWriter, 0)
	after(1)
	readA()
	readB()
}

// ---- atomics ----

var (
	flag int32
	ax   int32
)

func setsRelease(i int) {
	writeX()
	atomic.StoreInt32(&flag, 1)
	step(1 + i)
}
func releaseAcquire() {
	startApart(setsRelease, 0)
	after(1)
	atomic.LoadInt32(&flag)
	readX()
}

//go:noinline
func readAX() int32 { return ax }

func storesX(i int) {
	atomic.StoreInt32(&ax, 1)
	step(1 + i)
}
func atomicAndPlain() {
	startApart(storesX, 0)
	after(1)
	readAX()
}

// ---- locks, channels ----

func lockedWriter(i int) {
	m.Lock()
	writeX()
	m.Unlock()
	step(1 + i)
}
func oneLock() {
	startApart(lockedWriter, 0)
	after(1)
	m.Lock()
	readX()
	m.Unlock()
}

var ring [3]sync.Mutex

func locksTwo(i int) {
	ring[i].Lock()
	ring[(i+1)%3].Lock()
	ring[(i+1)%3].Unlock()
	ring[i].Unlock()
}
func orderOf3() {
	for i := 0; i < 3; i++ {
		start(locksTwo, i)
		join()
	}
}

var c chan int

func sends(i int) {
	c <- i
	step(1 + i)
}
func closeAndSend() {
	c = make(chan int, 1)
	startApart(sends, 0)
	after(1)
	close(c)
}
func writesAndSends(i int) {
	writeX()
	c <- i
}
func message() {
	c = make(chan int, 1)
	startApart(writesAndSends, 0)
	<-c
	readX()
}

func readAfterDatagram(which int) func() {
	return func() {
		var from [2]*net.UDPConn
		var to [2]net.Conn
		for i := range from {
			from[i], _ = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			to[i], _ = net.Dial("udp", from[i].LocalAddr().String())
		}
		to[1].Write([]byte("x"))
		startApart(func(i int) {
			writeX()
			to[i].Write([]byte("x"))
			step(1)
		}, 0)
		after(1)
		from[which].Read(make([]byte, 1))
		readX()
	}
}

var fair sync.RWMutex

func readLockAgain() {
	done := make(chan bool)
	go func() {
		fair.Lock()
		fair.Unlock()
		done <- true
	}()
	<-done
	fair.RLock()
	fair.RLock()
	fair.RUnlock()
	fair.RUnlock()
}

var programs = []struct {
	name string
	run  func()
}{
	{"near", thenRead(writeAndTouch, 0)},
	{"accesses_1e5", thenRead(writeAndTouch, 100000)},
	{"accesses_1e7", thenRead(writeAndTouch, 10000000)},
	{"calls_1e7", thenRead(writeAndCall, 10000000)},
	{"locks_4e6", thenRead(writeAndLock, 4000000)},
	{"come_and_gone_300", comeAndGone(300)},
	{"come_and_gone_1000", comeAndGone(1000)},
	{"alive_1000", alive1000},
	{"readers_16", func() { readers(16, runNumber*16/6) }},
	{"readers_500", func() { readers(500, runNumber*500/6) }},
	{"readers_500_ordered", func() { readers(500, -1) }},
	{"eight_bytes", eightBytes(8, func() int { return runNumber })},
	{"eight_bytes_apart", eightBytes(7, func() int { return 7 })},
	{"two_in_a_word", twoInAWord},
	{"release_acquire", releaseAcquire},
	{"atomic_and_plain", atomicAndPlain},
	{"one_lock", oneLock},
	{"datagram", readAfterDatagram(0)},
	{"datagram_of_another", readAfterDatagram(1)},
	{"order_of_3", orderOf3},
	{"read_lock_again", readLockAgain},
	{"close_and_send", closeAndSend},
	{"message", message},
}

func main() {
	if len(os.Args) > 2 {
		runNumber, _ = strconv.Atoi(os.Args[2])
	}
	for _, p := range programs {
		if os.Args[1] == p.name {
			p.run()
			return
		}
		if os.Args[1] == "--list" {
			fmt.Println(p.name)
		}
	}
	if os.Args[1] != "--list" {
		os.Exit(3)
	}
}
