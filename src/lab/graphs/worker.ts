import { serve } from "../../worker/index.ts";
import { functions } from "./functions.ts";

serve(functions);
