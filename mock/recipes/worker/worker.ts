import { createMockServer } from "@ollama-pull/kit/mock";

export default createMockServer({ models: ["llama3.2"], dialect: "v0.33" });
