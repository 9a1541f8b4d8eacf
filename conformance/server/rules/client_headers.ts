/**
 * The headers that real clients send with a pull, besides `Host` and the length of the body, as recorded from
 * each client with default settings. All of them declare a JSON body.
 *
 * @module
 */

/** Headers by name. */
export type ClientHeaders = Readonly<Record<string, string>>;

const JSON_BODY = { "Content-Type": "application/json" };

/** Headers of web pages from another port of the same machine. */
const PAGE = {
  ...JSON_BODY,
  "Accept": "*/*",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  "Accept-Language": "en-US,en;q=0.9",
  "Cache-Control": "no-cache",
  "Connection": "keep-alive",
  "Origin": "http://localhost:3000",
  "Pragma": "no-cache",
  "Referer": "http://localhost:3000/",
  "Sec-Fetch-Dest": "empty",
  "Sec-Fetch-Mode": "cors",
  "Sec-Fetch-Site": "same-site",
};

/** The length in characters of cookies that other applications on the same host leave behind. */
const COOKIE_CHARACTERS = 4_000;

/** The headers of clients, by client. */
export const clientHeaders: Readonly<Record<string, ClientHeaders>> = {
  "curl": { ...JSON_BODY, "User-Agent": "curl/8.5.0", "Accept": "*/*" },
  "curl --compressed": {
    ...JSON_BODY,
    "User-Agent": "curl/8.5.0",
    "Accept": "*/*",
    "Accept-Encoding": "deflate, gzip, br, zstd",
  },
  "the command line of Ollama": {
    ...JSON_BODY,
    "User-Agent": "ollama/0.34.1 (amd64 linux) Go/go1.26.0",
    "Accept": "application/x-ndjson",
    "Accept-Encoding": "gzip",
  },
  "Go": { ...JSON_BODY, "User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip" },
  "ollama-python": {
    ...JSON_BODY,
    "User-Agent": "ollama-python/0.6.0 (x86_64 linux) Python/3.12.3",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Connection": "keep-alive",
  },
  "httpx": {
    ...JSON_BODY,
    "User-Agent": "python-httpx/0.28.1",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive",
  },
  "requests": {
    ...JSON_BODY,
    "User-Agent": "python-requests/2.32.3",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive",
  },
  "aiohttp": {
    ...JSON_BODY,
    "User-Agent": "Python/3.12 aiohttp/3.11.11",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate, br",
  },
  "urllib": {
    ...JSON_BODY,
    "User-Agent": "Python-urllib/3.12",
    "Accept-Encoding": "identity",
    "Connection": "close",
  },
  "ollama-js in Node.js": {
    ...JSON_BODY,
    "User-Agent": "ollama-js/0.6.4 (x64 linux Node.js/v24.1.0)",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Accept-Language": "*",
    "Connection": "keep-alive",
    "Sec-Fetch-Mode": "cors",
  },
  "fetch in Node.js": {
    ...JSON_BODY,
    "User-Agent": "node",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Accept-Language": "*",
    "Connection": "keep-alive",
    "Sec-Fetch-Mode": "cors",
  },
  "fetch in Deno": {
    ...JSON_BODY,
    "User-Agent": "Deno/2.9.6",
    "Accept": "*/*",
    "Accept-Encoding": "gzip,br",
    "Accept-Language": "*",
  },
  "axios": {
    ...JSON_BODY,
    "User-Agent": "axios/1.7.9",
    "Accept": "application/json, text/plain, */*",
    "Accept-Encoding": "gzip, compress, deflate, br",
    "Connection": "keep-alive",
  },
  "a page in Chrome": {
    ...PAGE,
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
      "Chrome/137.0.0.0 Safari/537.36",
    "sec-ch-ua": '"Chromium";v="137", "Not/A)Brand";v="24"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
  },
  "a page in Firefox": {
    ...PAGE,
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0",
    "Priority": "u=4",
  },
  "a page with cookies": { ...PAGE, "Cookie": `session=${"0".repeat(COOKIE_CHARACTERS)}` },
  "Java": { ...JSON_BODY, "User-Agent": "Java-http-client/21.0.5" },
  "OkHttp": {
    ...JSON_BODY,
    "User-Agent": "okhttp/4.12.0",
    "Accept-Encoding": "gzip",
    "Connection": "Keep-Alive",
  },
  "reqwest": { ...JSON_BODY, "Accept": "*/*" },
  ".NET": {
    ...JSON_BODY,
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
  },
  "Ruby": {
    ...JSON_BODY,
    "User-Agent": "Ruby",
    "Accept": "*/*",
    "Accept-Encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
  },
  "Dart": {
    ...JSON_BODY,
    "User-Agent": "Dart/3.5 (dart:io)",
    "Accept-Encoding": "gzip",
  },
  "Guzzle": { ...JSON_BODY, "User-Agent": "GuzzleHttp/7", "Connection": "close" },
  "a client of OpenAI, with a key": {
    ...JSON_BODY,
    "User-Agent": "OpenAI/Python 1.82.0",
    "Accept": "application/json",
    "Authorization": "Bearer ollama",
    "X-Stainless-Lang": "python",
    "X-Stainless-Retry-Count": "0",
  },
  "a proxy": {
    ...JSON_BODY,
    "Forwarded": "for=192.0.2.60;proto=https;host=models.example",
    "Via": "1.1 proxy.example",
    "X-Forwarded-For": "192.0.2.60, 10.0.0.1",
    "X-Forwarded-Host": "models.example",
    "X-Forwarded-Proto": "https",
    "X-Real-IP": "192.0.2.60",
    "X-Request-Id": "8f14e45f-ceea-467f-a8f5-3c1a2b1d9e10",
  },
};

/** Headers that curl and PowerShell add for bodies of some length. `fetch` in Node.js cannot send them. */
export const expectingHeaders: ClientHeaders = {
  ...JSON_BODY,
  "User-Agent": "curl/7.88.1",
  "Accept": "*/*",
  "Expect": "100-continue",
};
