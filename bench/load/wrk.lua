-- TARGET: what to ask for (absolute for a forward proxy); prints one line of JSON for bench/measure.mjs.
local request_text
function init()
  request_text = wrk.format("GET", os.getenv("TARGET"), { ["Host"] = os.getenv("HOST_FIELD"), ["Accept"] = "*/*" })
end
function request()
  return request_text
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('JSON{"calls":%d,"us":%d,"bytes":%d,"p50":%d,"p99":%d,"errors":%d}\n', summary.requests,
    summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
