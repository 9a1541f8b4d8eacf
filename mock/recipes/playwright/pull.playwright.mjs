import { createMockServer } from "@ollama-pull/kit/mock";
import { expect, test } from "@playwright/test";
import { createServer } from "node:http";

const APP = `<progress value="0"></progress><output></output><script type="module">
  const init = { method: "POST", body: '{"model":"dummy"}' };
  const { body } = await fetch("http://127.0.0.1:11434/api/pull", init);
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\\n");
    rest = lines.pop();
    for (const { status, completed = 0, total } of lines.map((line) => JSON.parse(line))) {
      if (total) document.querySelector("progress").value = completed / total;
      document.querySelector("output").value = status;
    }
  }
</script>`;
const app = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(APP));

const models = [{ name: "dummy", layers: [{ size: 4_000_000_000 }], config: { size: 0 } }];
const mock = createMockServer({ models, bytesPerSecond: 1e10 });

test("a page shows progress while a model is pulled", async ({ page }) => {
  await new Promise((resolve) => app.listen(0, "127.0.0.1", resolve));
  const { url, close } = await mock.listen();
  // Do not use `route.fulfill`: it takes a whole body, like a buffering proxy, and the page would see nothing
  // of a pull before its end. Let the browser itself fetch from the mock.
  await page.route("http://127.0.0.1:11434/**", (route) => {
    const { pathname, search } = new URL(route.request().url());
    return route.continue({ url: `${url}${pathname}${search}` });
  });
  const half = mock.hold({ at: { completed: "50%" } }); // the pull waits there

  await page.goto(`http://127.0.0.1:${app.address().port}`);

  await half.reached;
  await expect(page.getByRole("progressbar")).toHaveJSProperty("value", 0.5);
  half.release();
  await expect(page.getByRole("progressbar")).toHaveJSProperty("value", 1);
  await expect(page.getByRole("status")).toHaveText("success");
  await expect.poll(() => mock.requests.map(({ outcome }) => outcome)).toEqual(["finished"]);
  await close();
  app.close();
});
