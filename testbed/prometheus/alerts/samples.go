package main

import (
	"context"
	"fmt"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// Series in memory, one sample a step from the epoch on.
type samples []storage.Series

// Reads the notation of Prometheus's own tests: `up{job="x"}` and `1x60`.
func read(series map[string]string) (samples, error) {
	var all samples
	for name, values := range series {
		metric, sequence, err := parser.ParseSeriesDesc(name + " " + values)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", name, values, err)
		}
		var points []chunks.Sample
		for number, value := range sequence {
			if !value.Omitted {
				points = append(points, point{int64(number) * step.Milliseconds(), value.Value})
			}
		}
		all = append(all, storage.NewListSeries(metric, points))
	}
	return all, nil
}

// A sample of a number.
type point struct {
	t int64
	f float64
}

func (p point) T() int64                      { return p.t }
func (p point) F() float64                    { return p.f }
func (p point) H() *histogram.Histogram       { return nil }
func (p point) FH() *histogram.FloatHistogram { return nil }
func (p point) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (p point) Copy() chunks.Sample           { return p }

// Querier implements storage.Queryable.
func (s samples) Querier(_, _ int64) (storage.Querier, error) { return querier{s}, nil }

type querier struct{ samples }

func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := &set{at: -1}
	for _, series := range q.samples {
		if fits(series.Labels(), matchers) {
			found.series = append(found.series, series)
		}
	}
	return found
}

func fits(metric labels.Labels, matchers []*labels.Matcher) bool {
	for _, matcher := range matchers {
		if !matcher.Matches(metric.Get(matcher.Name)) {
			return false
		}
	}
	return true
}

func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) Close() error { return nil }

type set struct {
	series []storage.Series
	at     int
}

func (s *set) Next() bool {
	s.at++
	return s.at < len(s.series)
}

func (s *set) At() storage.Series                { return s.series[s.at] }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }
