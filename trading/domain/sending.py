"""How to send, for people who set up a sender: text to copy, which runs as it stands once the secret is filled in."""

from trading.domain.source import Auth
from trading.domain.tradingview import template as tradingview

_BODY = (
    '{{"source":"{name}","signal_id":"my-first","tg_user_id":123,"symbol":"BTC-USD","side":"LONG",'
    '"collateral_usdc":"50","leverage_x":"3"}}'
)

_HEX = """\
# shell
SECRET='the secret'
body='{body}'
sig=$(printf %s "$body" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)
curl -X POST {url} -H 'Content-Type: application/json' -H "X-Signature: $sig" -d "$body"

# Python
import hashlib, hmac, urllib.request
secret, body = b"the secret", b'{body}'
signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
headers = {{"Content-Type": "application/json", "X-Signature": signature}}
print(urllib.request.urlopen(urllib.request.Request("{url}", body, headers)).read().decode())
"""

_WEBHOOKS = """\
# shell
SECRET='the secret'
body='{body}'
id=msg_my-first now=$(date +%s)
key=$(printf %s "${{SECRET#whsec_}}" | base64 -d | od -An -tx1 | tr -d ' \\n')
sig=$(printf %s "$id.$now.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
curl -X POST {url} -H 'Content-Type: application/json' -d "$body" \\
  -H "webhook-id: $id" -H "webhook-timestamp: $now" -H "webhook-signature: v1,$sig"

# Python
import base64, hashlib, hmac, time, urllib.request
secret, body = "the secret", b'{body}'
head = f"msg_my-first.{{int(time.time())}}"
mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), head.encode() + b"." + body, hashlib.sha256).digest()
message_id, now = head.split(".")
signature = "v1," + base64.b64encode(mac).decode()
headers = {{"webhook-id": message_id, "webhook-timestamp": now, "webhook-signature": signature}}
headers["Content-Type"] = "application/json"
print(urllib.request.urlopen(urllib.request.Request("{url}", body, headers)).read().decode())
"""

_TRADINGVIEW = """\
Webhook URL (ports 80 and 443 only):
{url}/hooks/tv/the secret

Message of a strategy's alert: where the strategy stands after each order decides what is done.
{strategy}

The same in one line:
{strategy_line}

Message of an indicator's alert; action: long short close close_long close_short reduce (with reduce_pct) add reverse flat cancel.
{indicator}

sizes: fixed (USDC), balance_pct, risk_pct (of the equity, lost at the stop). sl: price, pct. tp: price, pct, rr (times the stop).
"test": true goes all the way on paper. {{"action":"heartbeat"}} says that the chart is there, and asks nothing.
"""


def template(*, name: str, auth: Auth, site: str, account: int | None = None) -> str:
    """What a sender of this source can copy; `site` is the desk's own address, without a path.

    `account`: whose, where an alert of this source must say so.
    """
    if auth is Auth.TOKEN:
        return _TRADINGVIEW.format(
            url=site,
            strategy=tradingview.as_json(tradingview.STRATEGY, account=account),
            strategy_line=tradingview.as_text(tradingview.STRATEGY, account=account),
            indicator=tradingview.as_json(tradingview.INDICATOR, account=account),
        )
    text = {Auth.SIGNATURE: _HEX, Auth.STANDARD: _WEBHOOKS}[auth]
    return text.format(body=_BODY.format(name=name), url=f"{site}/signals")
