# Varnish 7 in front of three instances of Aisle, purged by `aisle purge` (Debian: varnish, varnish-modules).
# The instances need a maximum age: AISLE_MAX_AGE=3600. Start varnishd with `-p http_gzip_support=off`: bodies come coded, as
# br too, and Varnish need not code them again.
#
# What it promises: an answer of the cache is as old as a purge takes, some milliseconds. Where an answer was under way while
# its product was edited, it may be older, until everything is purged a second time, 17 s after the first. When nobody purges,
# because the purger, its database or the network is gone, answers of the cache are given for 5 s more; then every request
# goes to an instance.
vcl 4.1;

import directors;
import std;
import var;
import xkey;

probe ready {
    .url = "/readyz";
    .interval = 1s;
    .timeout = 1s;
    .window = 3;
    .threshold = 2;
    .initial = 2;
}

# The time-outs together are the longest time that an answer is under way; `aisle purge` counts on 10 s at most. The first
# byte: above the server's own deadline of 5 s, so that its answer arrives.
backend a1 {
    .host = "127.0.0.1";
    .port = "8081";
    .probe = ready;
    .connect_timeout = 1s;
    .first_byte_timeout = 7s;
    .between_bytes_timeout = 2s;
}

backend a2 {
    .host = "127.0.0.1";
    .port = "8082";
    .probe = ready;
    .connect_timeout = 1s;
    .first_byte_timeout = 7s;
    .between_bytes_timeout = 2s;
}

backend a3 {
    .host = "127.0.0.1";
    .port = "8083";
    .probe = ready;
    .connect_timeout = 1s;
    .first_byte_timeout = 7s;
    .between_bytes_timeout = 2s;
}

# Who may purge: where `aisle purge` runs.
acl purgers {
    "127.0.0.1";
    "::1";
}

sub vcl_init {
    new fleet = directors.round_robin();
    fleet.add_backend(a1);
    fleet.add_backend(a2);
    fleet.add_backend(a3);
}

sub vcl_recv {
    set req.backend_hint = fleet.backend();
    if (req.method == "PURGE") {
        call take_purge;
    }
    # What operators ask of an instance is asked there.
    if (req.url ~ "^/(metrics|readyz)([/?]|$)") {
        return (synth(404));
    }
    # Answers depend on no cookie.
    unset req.http.Cookie;
    # Editors who are logged in, and whoever names a position that the answer must not be older than, see what is true now.
    if (req.http.Authorization || req.http.Catalog-Min-Position || req.url ~ "^/v1/admin") {
        return (pass);
    }
    # For 5 s nobody has said that nothing is missing here: then something may be.
    if (std.time2real(now, 0.0) - std.real(var.global_get("aisle-current-at"), 0.0) > 5.0) {
        return (pass);
    }
    # One copy per coding, not per way of asking. Instances do better than this with preferences; few clients have any.
    # With several AISLE_LOCALES do the same to Accept-Language, e.g.: de where that is preferred, else en.
    if (req.http.Accept-Encoding ~ "(?i)(identity|\*)\s*;\s*q=0(\.0*)?\s*(,|$)") {
        return (pass);
    }
    if (req.http.Accept-Encoding ~ "(?i)(^|[,\s])br\s*(;\s*q=(1|0\.\d*[1-9])[\d.]*\s*)?(,|$)") {
        set req.http.Accept-Encoding = "br";
    } elsif (req.http.Accept-Encoding ~ "(?i)(^|[,\s])gzip\s*(;\s*q=(1|0\.\d*[1-9])[\d.]*\s*)?(,|$)") {
        set req.http.Accept-Encoding = "gzip";
    } else {
        unset req.http.Accept-Encoding;
    }
}

# What `aisle purge` asks: to forget what has any of some keys, or to note that all changes have been purged that were committed
# until some seconds ago.
sub take_purge {
    # Varnish adds the client to X-Forwarded-For: a comma shows that another proxy stands between, which purges for nobody.
    if (client.ip !~ purgers || req.http.X-Forwarded-For ~ ",") {
        return (synth(403));
    }
    # First the position, then the answers: what is stored in between is either refused or purged. It goes back only with a
    # database that lost commits, and then everything is purged.
    if (req.http.xkey-purge == "aisle"
        || std.integer(req.http.Catalog-Position, 0) > std.integer(var.global_get("aisle-position"), 0)) {
        var.global_set("aisle-position", req.http.Catalog-Position);
    }
    if (req.http.xkey-purge) {
        return (synth(200, "purged " + xkey.purge(req.http.xkey-purge)));
    }
    var.global_set("aisle-current-at", "" + (std.time2real(now, 0.0) - std.real(req.http.Purged-Age, 60.0)));
    return (synth(200, "noted"));
}

sub vcl_hash {
    # Not the Host: answers do not depend on it.
    hash_data(req.url);
    return (lookup);
}

sub vcl_backend_fetch {
    # Imports of whole documents may take longer; no answer of the admin API is kept.
    if (bereq.url ~ "^/v1/admin") {
        set bereq.first_byte_timeout = 60s;
    }
}

sub vcl_backend_response {
    # Nothing is served beyond its time: `stale-while-revalidate` and `stale-if-error` are for caches that nobody purges.
    # Instances answer for Postgres when that is gone, and label what they cannot vouch for.
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    if (bereq.uncacheable) {
        return (deliver);
    }
    if (!beresp.http.Surrogate-Key) {
        # Kept is only what can be purged.
        set beresp.uncacheable = true;
        set beresp.ttl = 120s;
        return (deliver);
    }
    if (std.integer(beresp.http.Catalog-Position, 0) < std.integer(var.global_get("aisle-position"), 0)) {
        # Read before a change that has been purged: it may lack that change. It is an answer to the request that it was
        # fetched for, and to no other.
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }
    set beresp.http.xkey = beresp.http.Surrogate-Key;
    unset beresp.http.Surrogate-Key;
}

sub vcl_backend_error {
    # Reads are asked elsewhere when an instance is gone or breaks off.
    if (bereq.retries < 2 && (bereq.method == "GET" || bereq.method == "HEAD")) {
        return (retry);
    }
}

sub vcl_deliver {
    if (resp.http.xkey || resp.http.Surrogate-Key) {
        # Browsers, and caches between here and there, are purged by nobody: they ask each time, and a 304 is cheap.
        set resp.http.Cache-Control = "public, no-cache";
        unset resp.http.Surrogate-Key;
        unset resp.http.xkey;
    }
    if (resp.http.Cache-Status) {
        if (obj.hits > 0) {
            set resp.http.Cache-Status = resp.http.Cache-Status + ", varnish; hit";
        } elsif (obj.uncacheable) {
            set resp.http.Cache-Status = resp.http.Cache-Status + ", varnish; fwd=bypass";
        } else {
            set resp.http.Cache-Status = resp.http.Cache-Status + ", varnish; fwd=miss; stored";
        }
    }
}

sub vcl_synth {
    set resp.http.Content-Type = "text/plain";
    synthetic(resp.reason + {"
"});
    return (deliver);
}
