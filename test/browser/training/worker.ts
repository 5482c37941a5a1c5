import { serve } from "../../../src/worker/index.ts";
import { functions } from "./functions.ts";

serve(functions);
