// rt.go: the workloads of rt.c in Go, size for size. Usage: rt WORKLOAD [GOMAXPROCS [COUNT]].
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var count int // goroutines, from the command line; 0: the workload's own number

func goroutines(otherwise int) int {
	if count > 0 {
		return count
	}
	return otherwise
}

func ns(t0 time.Time) float64 { return float64(time.Since(t0).Nanoseconds()) }

func yield() float64 {
	const total = 10000000
	n := goroutines(2)
	var wg sync.WaitGroup
	wg.Add(n)
	t0 := time.Now()
	for g := 0; g < n; g++ {
		go func() {
			for i := 0; i < total/n; i++ {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	return ns(t0) / total
}

func spawn() float64 {
	const total = 1000000
	batch := goroutines(10000)
	t0 := time.Now()
	for b := 0; b < total/batch; b++ {
		var wg sync.WaitGroup
		wg.Add(batch)
		for i := 0; i < batch; i++ {
			go func(wg *sync.WaitGroup) { wg.Done() }(&wg)
		}
		wg.Wait()
	}
	return ns(t0) / total
}

func pinger(trips int32, wg *sync.WaitGroup) {
	ping, pong := make(chan int32), make(chan int32)
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	for i := int32(0); i < trips; i++ {
		ping <- i
		<-pong
	}
	close(ping)
	wg.Done()
}

func pingpong() float64 {
	const trips = 2000000
	pairs := (goroutines(2) + 1) / 2
	var wg sync.WaitGroup
	wg.Add(pairs)
	t0 := time.Now()
	for i := 1; i < pairs; i++ {
		go pinger(int32(trips/pairs), &wg)
	}
	pinger(int32(trips/pairs), &wg)
	wg.Wait()
	return ns(t0) / trips
}

func spsc() float64 {
	const items = 10000000
	c := make(chan int32, 128)
	t0 := time.Now()
	go func() {
		for i := int32(0); i < items; i++ {
			c <- i
		}
		close(c)
	}()
	sum := int64(0)
	for v := range c {
		sum += int64(v)
	}
	return ns(t0) / items
}

func mpmc() float64 {
	const items = 10000000
	each := (goroutines(16) + 1) / 2
	c := make(chan int32, 128)
	var in, out sync.WaitGroup
	in.Add(each)
	out.Add(each)
	t0 := time.Now()
	for g := 0; g < each; g++ {
		go func() {
			sum := int64(0)
			for v := range c {
				sum += int64(v)
			}
			out.Done()
		}()
		go func() {
			for i := int32(0); i < int32(items/each); i++ {
				c <- i
			}
			in.Done()
		}()
	}
	in.Wait()
	close(c)
	out.Wait()
	return ns(t0) / items
}

func sel() float64 {
	const n = 2000000
	var c [4]chan int32
	for i := range c {
		c[i] = make(chan int32)
	}
	for i := 0; i < goroutines(4); i++ {
		go func(c chan int32) {
			for {
				c <- 1
			}
		}(c[i%4])
	}
	t0 := time.Now()
	for i := 0; i < n; i++ {
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		}
	}
	return ns(t0) / n
}

func sieve() float64 {
	t0 := time.Now()
	c := make(chan int32)
	go func(out chan int32) {
		for i := int32(2); ; i++ {
			out <- i
		}
	}(c)
	for i := 0; i < 2000; i++ {
		prime := <-c
		next := make(chan int32)
		go func(in, out chan int32) {
			for {
				i := <-in
				if i%prime != 0 {
					out <- i
				}
			}
		}(c, next)
		c = next
	}
	return ns(t0) / 1e9
}

func node(out chan int64, num, size int64) {
	if size == 1 {
		out <- num
		return
	}
	in := make(chan int64)
	for i := int64(0); i < 10; i++ {
		go node(in, num+i*(size/10), size/10)
	}
	sum := int64(0)
	for i := 0; i < 10; i++ {
		sum += <-in
	}
	out <- sum
}

func skynet() float64 {
	t0 := time.Now()
	c := make(chan int64)
	go node(c, 0, 1000000)
	if <-c != 499999500000 {
		panic("skynet: wrong sum")
	}
	return ns(t0) / 1e9
}

func mutex() float64 {
	const total = 10000000
	n := goroutines(8)
	var mu sync.Mutex
	var wg sync.WaitGroup
	shared := 0
	wg.Add(n)
	t0 := time.Now()
	for g := 0; g < n; g++ {
		go func() {
			for i := 0; i < total/n; i++ {
				mu.Lock()
				shared++
				mu.Unlock()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	return ns(t0) / total
}

func rss() float64 {
	b, _ := os.ReadFile("/proc/self/statm")
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return float64(pages * os.Getpagesize())
}

func parkedRSS() float64 {
	parked := goroutines(100000)
	c := make(chan int32)
	before := rss()
	for i := 0; i < parked; i++ {
		go func() { <-c }()
	}
	runtime.Gosched()
	time.Sleep(200 * time.Millisecond)
	return (rss() - before) / float64(parked)
}

func parkedNs() float64 {
	parked := goroutines(100000)
	c := make(chan int32)
	t0 := time.Now()
	for i := 0; i < parked; i++ {
		go func() { <-c }()
	}
	return ns(t0) / float64(parked)
}

var late int64

func sleepWall() float64 {
	sleeping := goroutines(100000)
	var wg sync.WaitGroup
	wg.Add(sleeping)
	t0 := time.Now()
	for i := 0; i < sleeping; i++ {
		go func(d time.Duration) {
			due := time.Now().Add(d)
			time.Sleep(d)
			atomic.AddInt64(&late, int64(time.Since(due)))
			wg.Done()
		}(time.Duration(i%1000+1) * time.Millisecond)
	}
	wg.Wait()
	return ns(t0) / 1e9
}

func sleepers() float64 {
	sleepWall()
	return float64(late) / float64(goroutines(100000)) / 1e3
}

func cpu() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func sleepCPU() float64 {
	before := cpu()
	sleepWall()
	return cpu() - before
}

var sink float64

func piece(spins int) {
	x := 1.0
	for i := 0; i < spins; i++ {
		x = x*1.0000001 + 1e-9
	}
	sink = x
}

func steal() float64 {
	spins, t := 1000, 0.0
	for ; ; spins *= 2 {
		t0 := time.Now()
		piece(spins)
		t = ns(t0)
		if t > 1e6 {
			break
		}
	}
	var wg sync.WaitGroup
	wg.Add(1000)
	t0 := time.Now()
	for i := 0; i < 1000; i++ {
		go func() { piece(spins); wg.Done() }()
	}
	wg.Wait()
	return ns(t0) / (1000 * t / float64(runtime.GOMAXPROCS(0)))
}

func blocking() float64 {
	spins := 100000
	t0 := time.Now()
	piece(spins)
	spins = int(float64(spins) * 1e6 / ns(t0))
	least := 1e18
	for i := 0; i < 20; i++ {
		t0 = time.Now()
		piece(spins)
		if t := ns(t0); t < least {
			least = t
		}
	}
	var readers, computers sync.WaitGroup
	var pipes [50][2]int
	readers.Add(50)
	computers.Add(2)
	for i := range pipes {
		syscall.Pipe(pipes[i][:])
		go func(fd int) {
			syscall.Read(fd, make([]byte, 1)) // the raw call: os.File would use the poller
			readers.Done()
		}(pipes[i][0])
	}
	time.Sleep(50 * time.Millisecond)
	t0 = time.Now()
	for g := 0; g < 2; g++ {
		go func() {
			for i := 0; i < 250; i++ {
				piece(spins)
			}
			computers.Done()
		}()
	}
	computers.Wait()
	wall := ns(t0)
	for i := range pipes {
		syscall.Write(pipes[i][1], make([]byte, 1))
	}
	readers.Wait()
	return wall / (500 * least / float64(runtime.GOMAXPROCS(0)))
}

func echo() float64 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				buf := make([]byte, 4096)
				for {
					n, err := c.Read(buf)
					if err != nil {
						c.Close()
						return
					}
					c.Write(buf[:n])
				}
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	before := cpu()
	if err := exec.Command(os.Getenv("ECHO_CLIENT"), port, "64", "400000").Run(); err != nil {
		panic(err)
	}
	return (cpu() - before) * 1e6 / 400000
}

func main() {
	workloads := map[string]func() float64{"yield": yield, "spawn": spawn, "pingpong": pingpong, "spsc": spsc,
		"mpmc": mpmc, "select": sel, "sieve": sieve, "skynet": skynet, "mutex": mutex, "parked-rss": parkedRSS,
		"parked-ns": parkedNs, "sleepers": sleepers, "sleep-wall": sleepWall, "sleep-cpu": sleepCPU,
		"steal": steal, "blocking": blocking, "echo": echo}
	if len(os.Args) > 2 {
		n, _ := strconv.Atoi(os.Args[2])
		runtime.GOMAXPROCS(n)
	}
	if len(os.Args) > 3 {
		count, _ = strconv.Atoi(os.Args[3])
	}
	if len(os.Args) > 1 && workloads[os.Args[1]] != nil {
		fmt.Printf("%.4g\n", workloads[os.Args[1]]())
		return
	}
	fmt.Fprintln(os.Stderr, "usage: rt WORKLOAD [GOMAXPROCS [COUNT]]")
	os.Exit(1)
}
