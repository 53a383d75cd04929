// Command peer is the admission service of RDSDatabase once more, on controller-runtime: what rds-webhook is measured
// beside. It serves /mutate and /validate over TLS, and /healthz, /readyz and /metrics on a plain port.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

func main() {
	if err := run(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	listen := flag.String("listen", "0.0.0.0:8443", "address of the TLS listener")
	adminListen := flag.String("admin-listen", "0.0.0.0:8080", "address of the plain listener for probes and metrics")
	certDir := flag.String("cert-dir", "/tls", "folder with tls.crt and tls.key")
	flag.Parse()

	// The settings of production: JSON, and of more than 100 lines a second with the same message one in a hundred.
	ctrl.SetLogger(zap.New())

	host, portText, err := net.SplitHostPort(*listen)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	server := webhook.NewServer(webhook.Options{Host: host, Port: port, CertDir: *certDir})
	server.Register("/mutate", &webhook.Admission{Handler: &handler{mutating: true, now: time.Now}})
	server.Register("/validate", &webhook.Admission{Handler: &handler{now: time.Now}})

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.Start(ctx) })
	group.Go(func() error { return serveAdmin(ctx, *adminListen, server.StartedChecker()) })
	return group.Wait()
}

func serveAdmin(ctx context.Context, address string, started healthz.Checker) error {
	mux := http.NewServeMux()
	mux.Handle("/healthz", healthz.CheckHandler{Checker: healthz.Ping})
	mux.Handle("/readyz", healthz.CheckHandler{Checker: started})
	mux.Handle("/metrics", promhttp.HandlerFor(metrics.Registry, promhttp.HandlerOpts{}))
	admin := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = admin.Close() })
	defer stop()
	if err := admin.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
