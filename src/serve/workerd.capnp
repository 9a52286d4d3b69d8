# How workerd runs the server on your own machine: docs/self-host.md. `octopoid-server serve` starts
#   workerd serve workerd.capnp config --directory-path data=DIR --socket-addr http=HOST:PORT
# with the settings in its environment. The Worker is beside this file (scripts/build/package.ts).
using Workerd = import "/workerd/workerd.capnp";

# Requests of the server, to webhooks and for traces, reach public addresses only.
const config :Workerd.Config = (
  services = [
    (name = "octopoid", worker = .octopoid),
    (name = "data", disk = (writable = true)),
    (name = "internet", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [.http],
);

# The same with WEBHOOK_ALLOW_PRIVATE=true: also addresses of this machine and of private networks.
const private :Workerd.Config = (
  services = [
    (name = "octopoid", worker = .octopoid),
    (name = "data", disk = (writable = true)),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [.http],
);

const http :Workerd.Socket = (name = "http", http = (), service = "octopoid");

const octopoid :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  # As in wrangler.objects.toml.
  compatibilityDate = "2026-10-01",
  # The keys name the folders with the databases. Another key would be a server without data.
  durableObjectNamespaces = [
    (className = "ScopeObject", uniqueKey = "scopes", enableSql = true),
    (className = "ControlObject", uniqueKey = "control", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    (name = "SCOPES", durableObjectNamespace = "ScopeObject"),
    (name = "CONTROL", durableObjectNamespace = "ControlObject"),
    # The settings: docs/configuration.md.
    (name = "ALLOWED_HOSTS", fromEnvironment = "ALLOWED_HOSTS"),
    (name = "API_SECRET_KEY", fromEnvironment = "API_SECRET_KEY"),
    (name = "BACKOFF_MAX_SECONDS", fromEnvironment = "BACKOFF_MAX_SECONDS"),
    (name = "BACKOFF_SECONDS", fromEnvironment = "BACKOFF_SECONDS"),
    (name = "BULK_STATEMENTS", fromEnvironment = "BULK_STATEMENTS"),
    (name = "BURNOUT_IDLE_TURNS", fromEnvironment = "BURNOUT_IDLE_TURNS"),
    (name = "BURNOUT_TOTAL_TURNS", fromEnvironment = "BURNOUT_TOTAL_TURNS"),
    (name = "CORS_ORIGINS", fromEnvironment = "CORS_ORIGINS"),
    (name = "DEFAULT_LEASE_SECONDS", fromEnvironment = "DEFAULT_LEASE_SECONDS"),
    (name = "EVENT_STREAM", fromEnvironment = "EVENT_STREAM"),
    (name = "KEY_OVERLAP_SECONDS", fromEnvironment = "KEY_OVERLAP_SECONDS"),
    (name = "LOG_LEVEL", fromEnvironment = "LOG_LEVEL"),
    (name = "MAX_ATTEMPTS", fromEnvironment = "MAX_ATTEMPTS"),
    (name = "MAX_ATTEMPT_SECONDS", fromEnvironment = "MAX_ATTEMPT_SECONDS"),
    (name = "MAX_LEASE_LOSSES", fromEnvironment = "MAX_LEASE_LOSSES"),
    (name = "MAX_REJECTIONS", fromEnvironment = "MAX_REJECTIONS"),
    (name = "ORCHESTRATOR_TIMEOUT_SECONDS", fromEnvironment = "ORCHESTRATOR_TIMEOUT_SECONDS"),
    (name = "OTEL_EXPORTER_OTLP_ENDPOINT", fromEnvironment = "OTEL_EXPORTER_OTLP_ENDPOINT"),
    (name = "OTEL_EXPORTER_OTLP_HEADERS", fromEnvironment = "OTEL_EXPORTER_OTLP_HEADERS"),
    (name = "OTEL_SERVICE_NAME", fromEnvironment = "OTEL_SERVICE_NAME"),
    (name = "REQUIRE_FENCING_TOKEN", fromEnvironment = "REQUIRE_FENCING_TOKEN"),
    (name = "REQUIRE_SCOPE", fromEnvironment = "REQUIRE_SCOPE"),
    (name = "RETAIN_FINISHED_TASKS_DAYS", fromEnvironment = "RETAIN_FINISHED_TASKS_DAYS"),
    (name = "RETAIN_HISTORY_DAYS", fromEnvironment = "RETAIN_HISTORY_DAYS"),
    (name = "RETAIN_IDEMPOTENCY_HOURS", fromEnvironment = "RETAIN_IDEMPOTENCY_HOURS"),
    (name = "RETAIN_MESSAGES_DAYS", fromEnvironment = "RETAIN_MESSAGES_DAYS"),
    (name = "RETAIN_PER_MINUTE", fromEnvironment = "RETAIN_PER_MINUTE"),
    (name = "UNCLAIMABLE_AFTER_SECONDS", fromEnvironment = "UNCLAIMABLE_AFTER_SECONDS"),
    (name = "WEBHOOK_ALLOW_PRIVATE", fromEnvironment = "WEBHOOK_ALLOW_PRIVATE"),
  ],
);
