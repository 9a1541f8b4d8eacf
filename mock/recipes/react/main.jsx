/**
 * Shows the downloads in the page of an app that keeps two models up to date.
 *
 * @module
 */

import { createRoot } from "react-dom/client";
import { Downloads } from "./downloads.tsx";

createRoot(document.querySelector("main")).render(<Downloads models={["llama3.2", "mistral"]} />);
