// The built-in template of the nginx config, for nginx 1.22 and newer, inside `http {}` of the stock image's nginx.conf. Pure.
// It is a TypeScript string, so that the bundle, the tests and tsx all read it the same way.

// One or more characters of valid UTF-8 (RFC 3629, 4) other than a line feed, as nginx reads a regular expression.
const UTF8 = String.raw`[\x01-\x09\x0b-\x7f]++|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}`;
// Zero or more characters of ASCII other than a line feed.
const ASCII = String.raw`[\x01-\x09\x0b-\x7f]*+`;

/**
 * Mustache without escaping, since every value comes from `quote.ts`. Names that other files in the folder could also
 * define begin with `vast_pod`.
 */
export const DEFAULT_CONF = String.raw`# Written by vast-reloader, which overwrites manual changes within seconds.
# vast-pod {{{server}}}

# A client can send any bytes, and JSON is UTF-8: a text is logged up to its first byte that is not. It is a map because requests
# that nginx refuses are logged too. Further maps cost 1.2 MB and some milliseconds each at every reload. Nearly all requests are
# plain ASCII, which the first line takes for a small part of what the second one costs.
map "$request_uri\n$http_host\n$http_user_agent\n$http_x_forwarded_for" $vast_pod_log {
  default "";
  "~^(?<vast_pod_log_uri>${ASCII})\n(?<vast_pod_log_host>${ASCII})\n(?<vast_pod_log_agent>${ASCII})\n(?<vast_pod_log_for>${ASCII})$" "";
  "~^(?<vast_pod_log_uri>((?:${UTF8})*+))[^\n]*\n(?<vast_pod_log_host>(?2))[^\n]*\n(?<vast_pod_log_agent>(?2))[^\n]*\n(?<vast_pod_log_for>(?2))" "";
}
# $vast_pod_log is empty; it comes first because the other texts are set with it.
log_format vast_pod escape=json '$vast_pod_log{"address":"$remote_addr","http_x_forwarded_for":"$vast_pod_log_for",'
  '"host":"$vast_pod_log_host","upstream_addr":"$upstream_addr","source":"nginx","time":"$time_iso8601",'
  '"resp_body_size":$body_bytes_sent,"request_length":$request_length,"method":"$request_method",'
  '"uri":"$vast_pod_log_uri","status":$status,"user_agent":"$vast_pod_log_agent","resp_time":$request_time,'
  '"upstream_cache_status":"$upstream_cache_status"}';
{{#proxied}}

upstream vast_pod_instance {
  # There is only one server, so marking it as failed would only make nginx reject requests itself.
  server {{{endpoint}}} max_fails=0;
  keepalive {{{keepaliveConnections}}};
  keepalive_timeout {{{keepalive}}};
}
# The same server, with a new connection for each request.
upstream vast_pod_instance_once {
  server {{{endpoint}}} max_fails=0;
  keepalive 1;
  keepalive_requests 1;
}
{{#auth}}

# The value of the secret header, in a file that only its owner can read.
include {{{file}}};
{{/auth}}
{{/proxied}}

server {
  listen {{{listenPort}}} default_server;
{{#ipv6}}
  listen [::]:{{{listenPort}}} default_server;
{{/ipv6}}
  server_name _;
  # An old worker still takes a request on a connection that was open and silent at a reload, until this time is over. So it
  # must be well below the time for which a withdrawn instance still runs.
  client_header_timeout 5s;
{{#accessLog}}
  # At most 4096 bytes at once, which the kernel never mixes with the lines of another worker in the same pipe. nginx writes what
  # is left when a worker exits.
  access_log {{{path}}} vast_pod buffer=4k flush=1s;
{{/accessLog}}
{{^accessLog}}
  access_log off;
{{/accessLog}}
{{#keepIdleClientsSeconds}}
  # Keep idle client connections open this long after a reload, so that none is closed while a request arrives on it.
  keepalive_min_timeout {{{keepIdleClientsSeconds}}}s;
{{/keepIdleClientsSeconds}}
{{#proxied}}

  # Only a WebSocket is upgraded. Any other offer becomes a plain request: Java's HttpClient offers h2c with each request,
  # uvicorn then answers 400, and an instance that accepted h2c would take requests that this config never saw.
  set $vast_pod_upgrade "";
  set $vast_pod_connection "";
  set $vast_pod_offer "$request_method $server_protocol $http_upgrade";
  if ($vast_pod_offer ~* "^GET HTTP/1\.1 websocket$") {
    set $vast_pod_upgrade $http_upgrade;
    set $vast_pod_connection "upgrade";
  }
  set $vast_pod_request "$request_method$content_length$http_transfer_encoding";
  # The host that the client asked for: that of an absolute target comes before the header (RFC 9112, 3.2.2).
  set $vast_pod_forwarded_host $http_host;
  if ($request ~* "^\S+ [a-z][a-z0-9+.-]*://([^/? ]+)") { set $vast_pod_forwarded_host $1; }
  set $vast_pod_host $vast_pod_forwarded_host;
  if ($vast_pod_host = "") { set $vast_pod_host "{{{endpoint}}}"; }
{{#trustForwarded}}
  set $vast_pod_proto $http_x_forwarded_proto;
  if ($http_x_forwarded_proto = "") { set $vast_pod_proto $scheme; }
  if ($http_x_forwarded_host) { set $vast_pod_forwarded_host $http_x_forwarded_host; }
{{/trustForwarded}}
  set $vast_pod_request_id $http_x_request_id;
  if ($http_x_request_id = "") { set $vast_pod_request_id $request_id; }
{{/proxied}}

  location = /-/live {
    access_log off;
    default_type text/plain;
    return 200 "live\n";
  }
{{#proxied}}

  location = /-/ready {
    access_log off;
    default_type text/plain;
{{#notReady}}
    return 503 "the instance is outdated, and serves until its replacement does\n";
{{/notReady}}
{{^notReady}}
    return 200 "ready\n";
{{/notReady}}
  }

  # nginx' own answers in place of the instance's. What the instance answers itself is passed on unchanged.
  error_page 413 @vast_pod_413;
  error_page 502 @vast_pod_502;
  error_page 504 @vast_pod_504;
  location @vast_pod_413 {
    types {}
    default_type application/json;
    return 413 '{"reason":"body_too_large","message":"the request body is larger than {{{maxBodySize}}} (NGINX_MAX_BODY_SIZE)"}\n';
  }
  location @vast_pod_502 {
    types {}
    default_type application/json;
    add_header Cache-Control no-store always;
    return 502 '{"reason":"no_valid_answer","message":"nginx could not connect to the instance, or the instance closed the connection before its answer was complete: the error log of nginx has the cause"}\n';
  }
  location @vast_pod_504 {
    types {}
    default_type application/json;
    add_header Cache-Control no-store always;
    return 504 '{"reason":"answer_too_late","message":"the instance did not accept a connection within 10 s, or sent nothing for {{{timeoutSeconds}}} s (NGINX_TIMEOUT_SECONDS)"}\n';
  }

  location / {
    # No path here, so that nginx passes the request URI on unchanged.
    proxy_pass {{{scheme}}}://vast_pod_instance;
    # When the instance closes a kept connection instead of answering, nginx sends the request again over another one: a GET,
    # HEAD or OPTIONS without a body, never a POST or PATCH. Other requests get a new connection, on which nothing is repeated.
    proxy_next_upstream error;
    # Such a close is seen within a round trip. After this time the instance has begun to work on the request.
    proxy_next_upstream_timeout 5s;
    if ($vast_pod_request !~ "^(GET|HEAD|OPTIONS|(POST|PATCH)[^ ]*)$") {
      proxy_pass {{{scheme}}}://vast_pod_instance_once;
    }
{{#tls}}
    proxy_ssl_protocols TLSv1.2 TLSv1.3;
    proxy_ssl_server_name on;
    proxy_ssl_name {{{name}}};
{{#verify}}
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 5;
    proxy_ssl_trusted_certificate {{{authorities}}};
{{/verify}}
{{^verify}}
    proxy_ssl_verify off;
{{/verify}}
{{/tls}}
    proxy_http_version 1.1;
    proxy_set_header Host {{{host}}};
    proxy_set_header Connection $vast_pod_connection;
    proxy_set_header Upgrade $vast_pod_upgrade;
    proxy_set_header HTTP2-Settings "";
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Host $vast_pod_forwarded_host;
{{#trustForwarded}}
    proxy_set_header X-Forwarded-Proto $vast_pod_proto;
{{/trustForwarded}}
{{^trustForwarded}}
    # What a client says about the way of its request must not look like this proxy's own word.
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Port "";
    proxy_set_header X-Forwarded-Prefix "";
    proxy_set_header X-Forwarded-Scheme "";
    proxy_set_header X-Forwarded-Server "";
    proxy_set_header X-Forwarded-Ssl "";
    proxy_set_header Forwarded "";
{{/trustForwarded}}
    # CGI programs take this header for the variable HTTP_PROXY.
    proxy_set_header Proxy "";
    proxy_set_header X-Request-ID $vast_pod_request_id;
{{#auth}}
    proxy_set_header {{{header}}} $vast_pod_auth;
{{/auth}}
    proxy_redirect off;
    # The instance must not control this nginx. X-Accel-Buffering is allowed, since it only affects its own response.
    proxy_ignore_headers X-Accel-Redirect X-Accel-Limit-Rate X-Accel-Charset;
    proxy_intercept_errors off;
    proxy_buffering {{{buffering}}};
    # With buffering, nginx would keep the head of an answer back until its body begins, for a stream until its first token.
    postpone_output 0;
    proxy_buffer_size 16k;
    proxy_buffers 8 16k;
    proxy_busy_buffers_size 32k;
    # A slow reader's answer is kept in a file without a name, which no limit of a volume counts. nginx' default is 1 GB each.
    proxy_max_temp_file_size 64m;
    # Uploads are streamed to the instance, so a request with a body is never sent a second time.
    proxy_request_buffering off;
    client_max_body_size {{{maxBodySize}}};
    proxy_connect_timeout 10s;
    proxy_send_timeout {{{timeoutSeconds}}}s;
    proxy_read_timeout {{{timeoutSeconds}}}s;
    # A slow response may leave the connection idle for longer than a firewall or NAT keeps it.
    proxy_socket_keepalive on;
  }
{{/proxied}}
{{^proxied}}

  location = /-/ready {
    access_log off;
    default_type text/plain;
    return 503 "no server is configured\n";
  }

  # No limit, so that a large upload also gets the 503 answer.
  client_max_body_size 0;
  error_page 503 /-/state;

  location / {
    return 503;
  }

  location = /-/state {
    internal;
    recursive_error_pages off;
    types {}
    default_type application/json;
    add_header Retry-After {{{retryAfterSeconds}}} always;
    add_header Cache-Control no-store always;
    open_file_cache off;
    etag off;
    root {{{stateFolder}}};
    try_files {{{stateFile}}} =503;
  }
{{/proxied}}
}

server {
  listen 127.0.0.1:{{{statusPort}}};
  server_name _;
  access_log off;
  keepalive_timeout 0;
  default_type text/plain;

  location = /hash {
    # The worker that answers, so that the reloader knows which ones run this config.
    add_header X-Vast-Pod-Worker $pid;
    return 200 "{{{hash}}}\n";
  }
  location = /version {
    return 200 "$nginx_version\n";
  }
  location = /stub_status {
    stub_status;
  }
  location / {
    return 404;
  }
}
`;
