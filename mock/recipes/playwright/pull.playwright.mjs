import { createMockServer } from "@ollama-pull/kit/mock";
import { expect, test } from "@playwright/test";
import { createServer } from "node:http";

const APP = `<pre></pre><script type="module">
  const init = { method: "POST", body: '{"model":"llama3.2"}' };
  const { body } = await fetch("http://127.0.0.1:11434/api/pull", init);
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    document.querySelector("pre").append(text);
  }
</script>`;
const app = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(APP));

test("a page shows progress while a model is pulled", async ({ page }) => {
  await new Promise((resolve) => app.listen(0, "127.0.0.1", resolve));
  const stall = { kind: "stall", at: { completed: "50%" }, ms: Infinity };
  const mock = createMockServer({ models: ["llama3.2"], bytesPerSecond: 1e10, faults: [stall] });
  const { url, close } = await mock.listen();
  // Not `route.fulfill`, which takes a whole body, as a proxy that buffers does: the page would see nothing
  // of a pull before its end. So the browser itself fetches from the mock.
  await page.route("http://127.0.0.1:11434/**", (route) => {
    const { pathname, search } = new URL(route.request().url());
    return route.continue({ url: `${url}${pathname}${search}` });
  });

  await page.goto(`http://127.0.0.1:${app.address().port}`);

  await expect(page.locator("pre")).toContainText('"completed":');
  await expect(page.locator("pre")).not.toContainText("success");
  await close();
  app.close();
});
