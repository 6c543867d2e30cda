package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/send"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

const (
	defaultAddress = "http://127.0.0.1:8080/default/default"
	// maxData is the most that NATS can carry in one message.
	maxData = 64 << 20
)

// sendFlags are the flags of `send` that are not options of the send package as they are.
type sendFlags struct {
	options    send.Options
	mode       string
	extensions []string
	data       string
	dataFile   string
	size       int
	file       string
	countedAt  string
}

func newSendCommand() *cobra.Command {
	var flags sendFlags
	command := &cobra.Command{
		Use:   "send [URL]",
		Short: "Post events to a Broker and report what became of them",
		Long: `Post events to a Broker, or to any other URL that takes CloudEvents, and report what became of them.
The exit code is 0 when every event was accepted, 1 when one was not, and 2 when nothing was sent because the flags are wrong.`,
		Example: `  kn-jetstream send --type order.created --data '{"total": 12}'
  kn-jetstream send http://127.0.0.1:8080/default/default --count 100000 --size 1024 --retry 10
  kn-jetstream send --file letters.jsonl --retry 10`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := flags.complete(command, args); err != nil {
				return badInput(err)
			}
			return runSend(command, flags.options, flags.countedAt)
		},
	}
	flags.register(command)
	return command
}

func (f *sendFlags) register(command *cobra.Command) {
	flags, o := command.Flags(), &f.options
	flags.StringVar(&o.To, "to", defaultAddress, "where to post; the same as the argument")
	flags.StringVar(&o.Event.Type, "type", "com.example.sent", "type of the events")
	flags.StringVar(&o.Event.Source, "source", "/kn-jetstream/send", "source of the events")
	flags.StringVar(&o.Event.Subject, "subject", "", "subject of the events")
	flags.StringVar(&o.Event.ID, "id", "", "id; with --count the ids are this and a number (default: a random one)")
	flags.StringVar(&o.Event.ContentType, "content-type", "", "content type of the data (default: guessed from the data)")
	flags.StringArrayVar(&f.extensions, "extension", nil, "extension attribute as name=value; may be repeated")
	flags.StringVar(&f.data, "data", "", "data of the events")
	flags.StringVar(&f.dataFile, "data-file", "", "file with the data; - is the standard input")
	flags.IntVar(&f.size, "size", 0, "send this many random bytes as data")
	flags.StringVar(&f.mode, "mode", string(send.Binary), "content mode: binary, structured or batch")
	flags.IntVar(&o.BatchSize, "batch-size", 100, "events in one request, with --mode batch")
	flags.IntVar(&o.Count, "count", 1, "number of events")
	flags.Float64Var(&o.Rate, "rate", 0, "events per second; 0 is as fast as possible")
	flags.IntVar(&o.Connections, "connections", 32, "requests at one time")
	flags.DurationVar(&o.Timeout, "timeout", 30*time.Second, "longest time for one request")
	flags.IntVar(&o.Retries, "retry", 0, "repeat a request this often after 429, 503, 507 and connection errors")
	flags.StringVar(&f.countedAt, "counted-at", "", "URL of a counter, such as http://127.0.0.1:8080/-/count/NAME: wait until every accepted event has arrived there")
	flags.StringVar(&f.file, "file", "", "send the events in this `file`, JSON lines of structured CloudEvents, as they are; - is the standard input")
	command.MarkFlagsMutuallyExclusive("data", "data-file", "size")
	for _, other := range []string{"type", "source", "subject", "id", "content-type", "extension", "data", "data-file", "size", "count"} {
		command.MarkFlagsMutuallyExclusive("file", other)
	}
}

// complete fills in the options that a flag or an argument says in another form.
func (f *sendFlags) complete(command *cobra.Command, args []string) error {
	if len(args) == 1 {
		if command.Flags().Changed("to") {
			return errors.New("the URL is given twice: as an argument and with --to")
		}
		f.options.To = args[0]
	}
	if command.Flags().Changed("batch-size") && f.mode != string(send.Batch) {
		return errors.New("--batch-size needs --mode batch")
	}
	f.options.Mode = send.Mode(f.mode)
	for _, extension := range f.extensions {
		name, value, ok := strings.Cut(extension, "=")
		if !ok {
			return fmt.Errorf("--extension %q is not of the form name=value", extension)
		}
		f.options.Event.Extensions = append(f.options.Event.Extensions, event.Attribute{Name: name, Value: value})
	}
	var err error
	if command.Flags().Changed("file") {
		f.options.Events, err = readEvents(f.file, command.InOrStdin(), send.ReadEvents)
		return err
	}
	f.options.Event.Data, err = f.readData(command.InOrStdin())
	return err
}

// readEvents reads what --file names; - is the standard input.
func readEvents(name string, stdin io.Reader, read func(io.Reader) ([]event.Event, error)) ([]event.Event, error) {
	from := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--file: %w", err)
		}
		defer file.Close()
		from = file
	}
	events, err := read(from)
	if err != nil {
		return nil, fmt.Errorf("--file %s: %w", name, err)
	}
	return events, nil
}

func (f *sendFlags) readData(stdin io.Reader) ([]byte, error) {
	switch {
	case f.size < 0 || f.size > maxData:
		return nil, fmt.Errorf("--size must be from 0 to %d", maxData)
	case f.size > 0:
		data := make([]byte, f.size)
		_, err := rand.Read(data)
		return data, err
	case f.dataFile == "":
		return []byte(f.data), nil
	case f.dataFile == "-":
		return readBounded(stdin)
	}
	file, err := os.Open(f.dataFile)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readBounded(file)
}

func readBounded(from io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxData+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxData {
		return nil, fmt.Errorf("the data exceeds %d bytes, more than NATS carries in one message", maxData)
	}
	return data, nil
}

func runSend(command *cobra.Command, options send.Options, countedAt string) error {
	// An interrupt ends the run, and what was sent until then is still reported.
	ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var arriving *arrivals
	if countedAt != "" {
		var err error
		if arriving, err = watchArrivals(ctx, countedAt); err != nil {
			return badInput(err)
		}
	}
	began := time.Now()
	progress := newProgress(command.ErrOrStderr(), "sending", max(options.Count, len(options.Events)))
	options.Progress = progress.add
	report, err := send.Run(ctx, options)
	progress.finish()
	if err != nil {
		return badInput(err)
	}
	fmt.Fprintln(command.OutOrStdout(), report)
	if arriving != nil {
		if err := arriving.await(ctx, report.Accepted, command.OutOrStdout()); err != nil {
			return err
		}
		fmt.Fprintf(command.OutOrStdout(), "end to end %.0f/s\n", float64(report.Accepted)/time.Since(began).Seconds())
	}
	return report.Err()
}
