/** The page at `/`: what this server is and where its API is described. No script, no foreign content. */
const page = (version: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Thingstead</title>
<style>
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem; color-scheme: light dark }
code { font-size: .95em }
section + section { margin-top: 2.5rem }
</style>
</head>
<body>
<h1>Thingstead ${version}</h1>
<section>
<p>A self-hosted IoT platform. Devices built for Alibaba Cloud IoT Platform connect to it by host name alone.</p>
<ul>
<li>REST API: <code>/api/v1</code>, described in <a href="/api/v1/openapi.json">/api/v1/openapi.json</a> (OpenAPI 3.1)</li>
<li>Alibaba Cloud API: point the SDK's endpoint at this address</li>
<li>State: <a href="/healthz">/healthz</a></li>
<li>Command line: <code>thingstead --help</code></li>
</ul>
</section>
<section lang="zh-CN">
<p>自托管的物联网平台。为阿里云物联网平台开发的设备只需修改域名即可接入。</p>
<ul>
<li>REST API：<code>/api/v1</code>，说明见 <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>（OpenAPI 3.1）</li>
<li>阿里云 API：将 SDK 的 endpoint 指向本地址</li>
<li>运行状态：<a href="/healthz">/healthz</a></li>
<li>命令行：<code>thingstead --help</code></li>
</ul>
</section>
</body>
</html>
`;

export function renderHomePage(version: string): string {
  return page(version.replaceAll(/[^\w.+-]/g, ""));
}
