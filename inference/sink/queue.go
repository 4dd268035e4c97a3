package sink

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/skiff-ml/skiff/inference/hint"
)

// A Queue says which queue: one of the caller's account and region by its
// name, or any by its ARN or URL. Of a name alone SQS is asked for the URL,
// which takes sqs:GetQueueUrl; the others need sqs:SendMessage and no more.
type Queue struct {
	name            string
	account, region string // of an ARN; of an AWS URL the region
	url             string // that SQS is told, or "" if it has to be asked
	endpoint        string // of a URL: where requests go
}

var (
	queueName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)
	sqsHost   = regexp.MustCompile(`(?:^|\.)sqs(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$`)
)

// domains are those of AWS's partitions, as they are in the URLs of queues.
var domains = map[string]string{ //nolint:gochecknoglobals // a constant table
	"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn",
}

// ParseQueue reads the name, ARN or URL of a queue.
func ParseQueue(s string) (Queue, error) {
	if isQueue(s) {
		return Queue{name: s}, nil
	}
	if q, ok := queueOfARN(s); ok {
		return q, nil
	}
	if q, ok := queueOfURL(s); ok {
		return q, nil
	}
	return Queue{}, hint.With(fmt.Errorf("%q is not the name, ARN or URL of a queue", s),
		"a name has up to 80 letters, digits, hyphens and underscores, and may end in .fifo; an ARN is arn:aws:sqs:REGION:ACCOUNT:NAME, a URL https://HOST/ACCOUNT/NAME")
}

func isQueue(name string) bool {
	return len(name) <= 80 && queueName.MatchString(strings.TrimSuffix(name, ".fifo"))
}

func queueOfARN(s string) (Queue, bool) {
	a, err := arn.Parse(s)
	if err != nil || a.Service != "sqs" || !isQueue(a.Resource) || !account.MatchString(a.AccountID) || !region.MatchString(a.Region) {
		return Queue{}, false
	}
	q := Queue{name: a.Resource, account: a.AccountID, region: a.Region}
	if domain := domains[a.Partition]; domain != "" {
		q.url = fmt.Sprintf("https://sqs.%s.%s/%s/%s", q.region, domain, q.account, q.name)
	}
	return q, true
}

func queueOfURL(s string) (Queue, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return Queue{}, false
	}
	parts := strings.Split(strings.TrimPrefix(u.Path, "/"), "/")
	if len(parts) != 2 || !account.MatchString(parts[0]) || !isQueue(parts[1]) {
		return Queue{}, false
	}
	q := Queue{name: parts[1], url: s, endpoint: u.Scheme + "://" + u.Host}
	if m := sqsHost.FindStringSubmatch(u.Hostname()); m != nil {
		q.region = m[1]
	}
	return q, true
}

// fifo reports whether the queue keeps its messages in order.
func (q Queue) fifo() bool { return strings.HasSuffix(q.name, ".fifo") }
