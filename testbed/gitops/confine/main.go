// Runs a program in a network of its own, in which nothing is but the API server of a kubeconfig, at its own address.
//
//	confine KUBECONFIG PROGRAM [ARGUMENT…]
//
// gitops-engine's agent listens on every address of the machine, for requests that nobody here makes, and offers no other choice.
// Linux only. Where the kernel lets nobody but root make networks (user namespaces are switched off), it says so and ends.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
	"k8s.io/client-go/tools/clientcmd"
)

// In the new network this process runs once more, with these in its environment.
const (
	gateVariable    = "CONFINE_GATE"
	addressVariable = "CONFINE_ADDRESS"
)

func main() {
	// Children die with the thread that has started them.
	runtime.LockOSThread()
	var err error
	if gate := os.Getenv(gateVariable); gate != "" {
		err = inside(gate, os.Getenv(addressVariable), os.Args[1:])
	} else if len(os.Args) < 3 {
		err = errors.New("usage: confine KUBECONFIG PROGRAM [ARGUMENT…]")
	} else {
		err = outside(os.Args[1], os.Args[2:])
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(max(exit.ExitCode(), 1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "confine:", err)
		os.Exit(1)
	}
}

// outside leads what comes through a socket in the file system, which all networks share, to the API server.
func outside(kubeconfig string, command []string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "confine-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	gate := filepath.Join(folder, "api")
	listener, err := net.Listen("unix", gate)
	if err != nil {
		return err
	}
	go forward(listener, "tcp", server.Host)

	self, err := os.Executable()
	if err != nil {
		return err
	}
	again := exec.Command(self, command...)
	again.Env = append(os.Environ(), gateVariable+"="+gate, addressVariable+"="+server.Host)
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		again.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return advised(again.Run())
}

// inside is where the program runs.
func inside(gate, address string, command []string) error {
	if err := raiseLoopback(); err != nil {
		return advised(fmt.Errorf("raising the loopback: %w", err))
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go forward(listener, "unix", gate)
	program := exec.Command(command[0], command[1:]...)
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return program.Run()
}

// advised says what to do where the machine does not let people make networks.
func advised(err error) error {
	if errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("%w; start this as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, on Ubuntu "+
			"kernel.apparmor_restrict_unprivileged_userns=0)", err)
	}
	return err
}

// A new network has a loopback, and it is down.
func raiseLoopback() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

func forward(listener net.Listener, network, address string) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			onward, err := net.Dial(network, address)
			if err != nil {
				return
			}
			defer onward.Close()
			// Either side's end is the end of both: a watch that is broken off is begun anew.
			done := make(chan struct{}, 2)
			pour := func(to, from net.Conn) {
				_, _ = io.Copy(to, from)
				done <- struct{}{}
			}
			go pour(onward, connection)
			go pour(connection, onward)
			<-done
		}()
	}
}
