//! The sources of the contract.

use std::borrow::Cow;

/// The source of a fact of the contract. The pages are on learn.microsoft.com, and only parts of
/// them were readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The page "Direct OpenTelemetry integration".
    DirectIntegration,
    /// The page "Direct OpenTelemetry troubleshooting", in two generations.
    Troubleshooting,
    /// The page "Observability concepts".
    Concepts,
    /// The page "Observability attribute reference".
    AttributeReference,
    /// The page "Observability authentication setup".
    AuthenticationSetup,
    /// The page "Agent observability", in its chapter on validation for store publishing.
    StorePublishing,
    /// The page "Validation checklist".
    ValidationChecklist,
    /// Microsoft Entra's pages on the protocols of agents.
    EntraPages,
    /// Microsoft Entra's documentation of agent sign-in health.
    EntraHealth,
    /// The package `microsoft-opentelemetry` 1.5.0 for Python.
    PythonDistro,
    /// The package `@microsoft/opentelemetry` 1.4.0 for Node.
    NodeDistro,
    /// `docs/observability-s2s.md` of `microsoft/Agent365-Samples`, a run against the live service.
    S2sSample,
    /// The sender in Apex of `microsoft/Agent365-Samples`.
    ApexSample,
    /// The catalogue of certification rules in `microsoft/Agent365-dotnet`.
    CertificationCatalog,
    /// The validator's checklist in `microsoft/agent365-skills`.
    ValidatorChecklist,
    /// The skill `instrument-observability` in `microsoft/agent365-skills`.
    InstrumentationSkill,
    /// The lab `ketana0224/Agent365-Onboarding`.
    OnboardingLab,
    /// The sender `patrick-shim/a365-custom-gateway`.
    CustomGateway,
    /// The sender `frdeange/customAgentIntegrationA365`.
    CustomAgent,
    /// The sender `gebruder/wirken`.
    Wirken,
    /// A public sender in Python, by its comments.
    DirectSender,
    /// A public guide with findings on the Python package, September 2026.
    DistroGuide,
    /// Public notes on deployments, May 2026.
    DeploymentNotes,
    /// A public demonstration and a guide of lessons learned, May to September 2026.
    LessonsGuide,
    /// A public guide to queries in KQL.
    QueryGuide,
    /// Public notes on hunting in Defender, September 2026.
    HuntingNotes,
    /// The triage page of a public starter project.
    TriagePage,
    /// Public field notes on Entra's agent ids, with tests across tenants.
    AgentIdNotes,
    /// Several public field guides.
    FieldGuides,
    /// An issue or a pull request of `microsoft/Agent365-Samples`.
    SamplesThread(u32),
    /// An issue or a pull request of `microsoft/Agent365-python`.
    PythonThread(u32),
    /// An issue or a pull request of `microsoft/Agent365-nodejs`.
    NodeThread(u32),
    /// An issue or a pull request of `microsoft/Agent365-dotnet`.
    DotnetThread(u32),
    /// An issue or a pull request of `microsoft/agent365-skills`.
    SkillsThread(u32),
    /// An issue of `Azure/azure-sdk-for-python`.
    AzureSdkThread(u32),
    /// No source; it follows from other facts.
    Inferred,
}

/// The confidence in a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Confidence {
    /// A page, a package or a sample of Microsoft states it.
    Microsoft,
    /// A public document or a sender quotes or has tested it, or two independent ones do.
    Tested,
    /// One third party or a test fixture states it.
    Single,
    /// Sources disagree.
    Disputed,
}

impl Source {
    /// The public name of the source.
    #[must_use]
    pub fn title(self) -> Cow<'static, str> {
        let title = match self {
            Self::DirectIntegration => "Microsoft Learn, Direct OpenTelemetry integration",
            Self::Troubleshooting => "Microsoft Learn, Direct OpenTelemetry troubleshooting",
            Self::Concepts => "Microsoft Learn, Observability concepts",
            Self::AttributeReference => "Microsoft Learn, Observability attribute reference",
            Self::AuthenticationSetup => "Microsoft Learn, Observability authentication setup",
            Self::StorePublishing => "Microsoft Learn, Agent observability (store publishing)",
            Self::ValidationChecklist => "Microsoft Learn, Validation checklist",
            Self::EntraPages => "Microsoft Learn, Entra agent protocols",
            Self::EntraHealth => "Microsoft Learn, Entra agent sign-in health",
            Self::PythonDistro => "microsoft-opentelemetry 1.5.0",
            Self::NodeDistro => "@microsoft/opentelemetry 1.4.0",
            Self::S2sSample => "microsoft/Agent365-Samples, observability-s2s.md",
            Self::ApexSample => "microsoft/Agent365-Samples, apex-observability",
            Self::CertificationCatalog => "microsoft/Agent365-dotnet, certification rules",
            Self::ValidatorChecklist => "microsoft/agent365-skills, validator checklist",
            Self::InstrumentationSkill => "microsoft/agent365-skills, instrument-observability",
            Self::OnboardingLab => "ketana0224/Agent365-Onboarding",
            Self::CustomGateway => "patrick-shim/a365-custom-gateway",
            Self::CustomAgent => "frdeange/customAgentIntegrationA365",
            Self::Wirken => "gebruder/wirken",
            Self::DirectSender => "a public sender in Python",
            Self::DistroGuide => "a public guide to the Python package, September 2026",
            Self::DeploymentNotes => "public notes on deployments, May 2026",
            Self::LessonsGuide => "public lessons learned, May to September 2026",
            Self::QueryGuide => "a public guide to KQL queries",
            Self::HuntingNotes => "public notes on Defender hunting, September 2026",
            Self::TriagePage => "the triage page of a public starter project",
            Self::AgentIdNotes => "public field notes on Entra agent ids",
            Self::FieldGuides => "public field guides",
            Self::SamplesThread(number) => return thread("microsoft/Agent365-Samples", number),
            Self::PythonThread(number) => return thread("microsoft/Agent365-python", number),
            Self::NodeThread(number) => return thread("microsoft/Agent365-nodejs", number),
            Self::DotnetThread(number) => return thread("microsoft/Agent365-dotnet", number),
            Self::SkillsThread(number) => return thread("microsoft/agent365-skills", number),
            Self::AzureSdkThread(number) => return thread("Azure/azure-sdk-for-python", number),
            Self::Inferred => "inferred",
        };
        Cow::Borrowed(title)
    }
}

fn thread(repository: &str, number: u32) -> Cow<'static, str> {
    Cow::Owned(format!("{repository}#{number}"))
}
