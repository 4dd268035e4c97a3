package awserr

import "strings"

// A row is what some errors mean: whether only a person can mend them, and
// what to do. Hints name what the [Call] has: {action}, {key}, {variable}.
type row struct {
	codes     []string
	says      string // only where the message has this
	permanent bool
	hint      string
}

const (
	permanent = true
	transient = false
)

// table has what AWS's services answer to who writes to a stream, a queue or a
// bucket, or reads from one: from each API's list of errors, and from AWS's
// common ones. The first row that fits counts. What is not here is tried again.
var table = []row{ //nolint:gochecknoglobals // a constant table
	// Who asks.
	{
		codes:     []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"},
		permanent: permanent,
		hint:      "the AWS credentials have expired: in Lambda the next invocation has new ones; elsewhere sign in again, or set new keys",
	},
	{
		codes:     []string{"InvalidSignatureException", "SignatureDoesNotMatch"},
		says:      "Signature expired",
		permanent: permanent,
		hint:      wrongClock,
	},
	{
		codes:     []string{"InvalidSignatureException", "SignatureDoesNotMatch"},
		says:      "Signature not yet current",
		permanent: permanent,
		hint:      wrongClock,
	},
	{
		codes:     []string{"RequestTimeTooSkewed"},
		permanent: permanent,
		hint:      wrongClock,
	},
	{
		codes:     []string{"InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "IncompleteSignatureException"},
		permanent: permanent,
		hint:      "the signature is wrong: check AWS_SECRET_ACCESS_KEY, and that no proxy alters requests",
	},
	{
		codes: []string{
			"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken", "AuthFailure",
			"MissingAuthenticationToken", "MissingAuthenticationTokenException", "InvalidSecurity",
		},
		permanent: permanent,
		hint:      "AWS does not know these credentials: check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, and that they belong together",
	},
	{
		codes:     []string{"OptInRequired", "NotSignedUp"},
		permanent: permanent,
		hint:      "the account is not signed up for this service, or for this region",
	},
	{
		codes:     []string{"AccessDenied", "AccessDeniedException"},
		says:      "kms:",
		permanent: permanent,
		hint:      deniedKey,
	},
	{
		codes:     []string{"AccessDenied", "AccessDeniedException"},
		permanent: permanent,
		hint:      "the role needs {action} on what {variable} names",
	},

	// The key that encrypts.
	{
		codes:     []string{"KMSAccessDeniedException", "KmsAccessDenied", "KMS.AccessDeniedException"},
		permanent: permanent,
		hint:      deniedKey,
	},
	{
		codes:     []string{"KMSDisabledException", "KmsDisabled", "KMS.DisabledException"},
		permanent: permanent,
		hint:      "the KMS key that encrypts what {variable} names is disabled: enable it, or choose another",
	},
	{
		codes:     []string{"KMSInvalidStateException", "KmsInvalidState", "KMS.KMSInvalidStateException", "KMS.InvalidStateException"},
		permanent: permanent,
		hint:      "the KMS key that encrypts what {variable} names is not usable now: see whether it waits for its deletion or its material",
	},
	{
		codes:     []string{"KMSNotFoundException", "KmsNotFound", "KMS.NotFoundException"},
		permanent: permanent,
		hint:      "the KMS key that is to encrypt what {variable} names is not there: check its id, account and region",
	},
	{
		codes:     []string{"KMSOptInRequired", "KmsOptInRequired", "KMS.OptInRequired"},
		permanent: permanent,
		hint:      "the account is not signed up for KMS, which encrypts what {variable} names",
	},
	{
		codes:     []string{"KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException"},
		permanent: permanent,
		hint:      "the KMS key of what {variable} names is not for this: it has to be a symmetric one, to encrypt and decrypt",
	},
	{
		codes:     []string{"KMSThrottlingException", "KmsThrottled", "KMS.ThrottlingException"},
		permanent: transient,
		hint:      "KMS takes no more requests a second: ask for a higher quota; for a queue or a bucket reuse data keys for longer",
	},

	// What is written to, or read.
	{
		codes: []string{
			"ResourceNotFoundException", "NoSuchBucket",
			"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
		},
		permanent: permanent,
		hint:      "there is none: check {variable}, its account, and its region",
	},
	{
		codes:     []string{"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"},
		permanent: permanent,
		hint:      "the bucket is in another region: set AWS_REGION to that",
	},

	// The request.
	{
		codes: []string{
			"BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong",
			"InvalidParameterValue", "InvalidMessageContents", "EntityTooLarge",
		},
		permanent: permanent,
		hint:      "what {variable} names does not take messages as large as these, or their content: see a queue's MaximumMessageSize",
	},
	{
		codes: []string{
			"InvalidArgumentException", "InvalidArgument", "ValidationException", "SerializationException", "InvalidBucketName", "InvalidAddress",
			"InvalidRequest", "UnknownOperationException", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation",
			"InvalidAction", "MethodNotAllowed", "NotImplemented",
		},
		permanent: permanent,
		hint:      "the service does not take such a request: check {variable}, and that a stand-in's endpoint is of the right service",
	},
}

const (
	deniedKey  = "the role needs {key} on the KMS key that encrypts what {variable} names, and the key's policy has to allow it"
	wrongClock = "this machine's clock is wrong: set it; it was tried once more by the time of AWS's answer"

	// What has no code.
	unmade    = "no request could be made: check {variable}, AWS_REGION and the AWS credentials"
	untrusted = "the certificate is not trusted here: for a proxy of your own set AWS_CA_BUNDLE to its authority's file"
	noKeys    = "this is about getting credentials: check the role or profile that they come from"
)

// find returns the first row that fits.
func find(code, message string) (row, bool) {
	for _, r := range table {
		for _, c := range r.codes {
			if c == code && strings.Contains(message, r.says) {
				return r, true
			}
		}
	}
	return row{}, false
}
