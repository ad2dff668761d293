// Short names for what the API answers with.
import type { components } from "./schema.gen";

type Schemas = components["schemas"];
export type Incident = Schemas["IncidentOut"];
export type IncidentPage = Schemas["IncidentPageOut"];
export type IncidentDetail = Schemas["IncidentDetailOut"];
export type Diagnosis = Schemas["DiagnosisOut"];
export type DiagnosisState = Schemas["DiagnosisState"];
export type Candidate = Schemas["CandidateOut"];
export type Series = Schemas["SeriesOut"];
export type Change = Schemas["ChangeOut"];
export type ChangeEvent = Schemas["ChangeEventOut"];
export type Alert = Schemas["AlertOut"];
export type Graph = Schemas["GraphOut"];
export type Edge = Schemas["EdgeOut"];
export type Excerpt = Schemas["ExcerptOut"];
export type Opinion = Schemas["OpinionOut"];
export type Analysis = Schemas["AnalysisOut"];
export type Result = Schemas["ResultOut"];
export type Block = Result["blocks"][number];
export type Method = Schemas["MethodOut"];
export type Status = Schemas["StatusOut"];
export type Band = Schemas["Band"];
export type Severity = Schemas["Severity"];
export type IncidentStatus = Schemas["Status"];
export type JsonValue = Schemas["JsonValue"];
