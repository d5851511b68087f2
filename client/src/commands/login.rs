//! `dead-letter login` and `dead-letter logout`: sign in with an OIDC issuer, and out again.

use clap::Args;

use crate::api::without_secrets;
use crate::connection::PlaceArgs;
use crate::ending::{Ending, Failure};
use crate::output::print_line;
use crate::sign_in::{DeviceAuthorization, Issuer, SignedOut, Wishes, file_of, sign_out, store};

/// Below the help of `login`.
const AFTER_HELP: &str = "\
The issuer must offer the device authorization grant (RFC 8628) to this client, which has no secret. The tokens are stored in
~/.config/dead-letter/tokens, in a file that only you can read. They are sent to this server only, and renewed when needed.

Issuer and client can also be set in a profile, in ~/.config/dead-letter/config.toml:
  [profiles.default]
  server = \"https://dead-letter.example.com\"
  issuer = \"https://id.example.com/realms/bank\"
  client_id = \"dead-letter-cli\"";

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct LoginArgs {
    /// OIDC issuer, exactly as it names itself; by default `issuer` of the profile
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Id of this client at the issuer; by default `client_id` of the profile
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Scopes to ask for, separated by spaces; by default `scope` of the profile, or else openid, profile and `offline_access`, as
    /// far as the issuer has them
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// Audience to ask for, if the issuer needs it; by default `audience` of the profile
    #[arg(long)]
    audience: Option<String>,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Args, Debug)]
pub struct LogoutArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

pub(crate) async fn run(args: LoginArgs) -> Result<Ending, Failure> {
    let place = args.place.find()?;
    place.check_encrypted()?;
    // Better now than after somebody has signed in.
    file_of(&place.name)?;
    let profile = place.profile.clone();
    let needed = |name: &str, flag: &str, given: Option<String>| {
        let message = format!("No {name}. Give {flag}, or set {name} in the profile {}.", place.name);
        given.ok_or(Failure::Refused(message))
    };
    let issuer = needed("issuer", "--issuer", args.issuer.or(profile.issuer))?;
    let client_id = needed("client_id", "--client-id", args.client_id.or(profile.client_id))?;
    let wishes = Wishes { scope: args.scope.or(profile.scope), audience: args.audience.or(profile.audience) };
    let issuer = Issuer::discover(&issuer, &client_id).await?;
    let code = DeviceAuthorization::request(&issuer, &wishes).await?;
    print_line(&code.instructions())?;
    let tokens = code.wait(&issuer).await?;
    store(&place, &issuer, tokens).await?;
    print_line(&format!("\nYou are signed in for {}.", without_secrets(place.server.clone())))?;
    let overriding = match place.token() {
        _ if std::env::var_os("DEAD_LETTER_TOKEN").is_some() => Some("DEAD_LETTER_TOKEN"),
        token => token.map(|_| "The token of the profile"),
    };
    if let Some(overriding) = overriding {
        crate::remark_line!("{overriding} takes precedence over the sign-in. Remove it to use the sign-in.");
    }
    Ok(Ending::Done)
}

pub(crate) async fn logout(args: &LogoutArgs) -> Result<Ending, Failure> {
    let place = args.place.find()?;
    let words = match sign_out(&place.name).await? {
        SignedOut::Nobody => "You were not signed in.",
        SignedOut::Everywhere => "You are signed out.",
        SignedOut::Here => "You are signed out here. The access token is valid until it expires.",
        SignedOut::Unconfirmed(failure) => {
            failure.print();
            crate::remark_line!("You are signed out here. The tokens are valid until they expire.");
            return Ok(Ending::Failed);
        }
    };
    print_line(words)?;
    Ok(Ending::Done)
}
