//! Sign-ins with an OIDC issuer: `dead-letter login` stores one, and every command uses it for the same server.

mod device;
mod file;
mod issuer;

use reqwest::header::HeaderValue;
use tokio::sync::Mutex;

pub(crate) use device::{DeviceAuthorization, Wishes};
pub(crate) use issuer::{Issuer, Tokens};

use self::file::{Stored, TokenFile};
use crate::clock::now;
use crate::connection::Place;
use crate::ending::Failure;
use crate::profile;

/// The sign-in of a profile, renewed when it is needed.
#[derive(Debug)]
pub(crate) struct SignIn {
    profile: String,
    file: TokenFile,
    current: Mutex<Stored>,
}

impl SignIn {
    /// The stored sign-in for this server, if there is one. It is not sent to another server.
    pub(crate) fn of(place: &Place) -> Result<Option<Self>, Failure> {
        let Some(file) = TokenFile::of(&place.name) else { return Ok(None) };
        let stored = file.read()?.filter(|stored| stored.server == place.server.as_str());
        Ok(stored.map(|stored| Self { profile: place.name.clone(), file, current: Mutex::new(stored) }))
    }

    /// The header `Authorization`, with a token that is still valid for a moment.
    pub(crate) async fn header(&self) -> Result<HeaderValue, Failure> {
        let mut current = self.current.lock().await;
        if current.is_due(now()) {
            *current = self.renew(&current.server).await?;
        }
        current.access_token.header()
    }

    async fn renew(&self, server: &str) -> Result<Stored, Failure> {
        let locked = self.file.lock().await?;
        // Another command may have renewed it, signed out, or signed in elsewhere.
        let stored = locked.read()?.filter(|stored| stored.server == server).ok_or_else(|| self.over())?;
        if !stored.is_due(now()) {
            return Ok(stored);
        }
        let is_valid = !stored.has_expired(now());
        let Some(token) = &stored.refresh_token else {
            return if is_valid { Ok(stored) } else { Err(self.over()) };
        };
        let renewing =
            async { Issuer::discover(&stored.issuer, &stored.client_id).await?.refresh(token).await };
        match renewing.await {
            Ok(Ok(tokens)) => {
                let renewed = stored.with(tokens, now());
                locked.write(&renewed)?;
                Ok(renewed)
            }
            // RFC 6749, section 5.2: invalid, expired, revoked, or of another client.
            Ok(Err(error)) if error.error == "invalid_grant" => Err(self.over()),
            Ok(Err(error)) => {
                Err(Failure::Failed(format!("The issuer did not renew your sign-in: {}", error.text())))
            }
            Err(failure) if is_valid && failure.is_transient() => Ok(stored),
            Err(failure) => Err(failure),
        }
    }

    fn over(&self) -> Failure {
        Failure::Failed(format!("Your sign-in has expired. Run: {}", login_command(&self.profile)))
    }
}

/// How a sign-out ended. In any case the tokens are forgotten here.
pub(crate) enum SignedOut {
    /// Nobody had signed in.
    Nobody,
    /// The issuer has withdrawn the refresh token.
    Everywhere,
    /// There is no refresh token, or the issuer cannot withdraw it.
    Here,
    /// The issuer was asked, and did not confirm it.
    Unconfirmed(Failure),
}

/// Stores tokens as the sign-in of a profile, for its server. An error if the profile's name cannot be a file name.
pub(crate) async fn store(place: &Place, issuer: &Issuer, tokens: Tokens) -> Result<(), Failure> {
    let file = file_of(&place.name)?;
    file.lock().await?.write(&Stored::new(&place.server, issuer, tokens, now()))
}

/// Forgets the sign-in of a profile, and withdraws its refresh token.
pub(crate) async fn sign_out(profile: &str) -> Result<SignedOut, Failure> {
    let file = file_of(profile)?;
    let stored = {
        let locked = file.lock().await?;
        let Some(stored) = locked.read()? else { return Ok(SignedOut::Nobody) };
        locked.remove()?;
        stored
    };
    let Some(token) = &stored.refresh_token else { return Ok(SignedOut::Here) };
    let revoking = async { Issuer::discover(&stored.issuer, &stored.client_id).await?.revoke(token).await };
    Ok(match revoking.await {
        Ok(true) => SignedOut::Everywhere,
        Ok(false) => SignedOut::Here,
        Err(failure) => SignedOut::Unconfirmed(failure),
    })
}

/// Where the sign-in of a profile is stored. An error if there is no place for it.
pub(crate) fn file_of(profile: &str) -> Result<TokenFile, Failure> {
    TokenFile::of(profile).ok_or_else(|| {
        Failure::Refused(
            "A sign-in is stored below $HOME by the name of its profile. Set HOME, and use letters, digits, - and _ in the name.".into(),
        )
    })
}

/// The command that signs in with this profile.
pub(crate) fn login_command(profile: &str) -> String {
    if profile == profile::DEFAULT {
        "dead-letter login".into()
    } else {
        format!("dead-letter login --profile {}", crate::text::line(profile))
    }
}
