//! Signatures of tokens, verified by the cryptography library that TLS uses. The alternatives in `jsonwebtoken` are the `rsa` crate,
//! which has an open advisory (RUSTSEC-2023-0071), and a second library in C.

use jsonwebtoken::crypto::{CryptoProvider, JwkUtils, JwtVerifier};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

/// Checks signatures by a public key. It signs nothing, and takes no shared secret.
pub static RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    jwk_utils: JwkUtils::new_unimplemented(),
};

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(PublicKey { algorithm, key: key.clone() }))
}

struct PublicKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for PublicKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for PublicKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(rsa(self.algorithm).ok_or_else(Error::new)?, message, signature)
            }
            DecodingKeyKind::SecretOrDer(point) => {
                let algorithm = curve(self.algorithm).ok_or_else(Error::new)?;
                UnparsedPublicKey::new(algorithm, point).verify(message, signature)
            }
        };
        verified.map_err(|_| Error::new())
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

fn curve(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Some(&ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Some(&ED25519),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    };

    use super::*;

    const MESSAGE: &[u8] = b"header.claims";
    /// A key of this test's own.
    const RSA: &str = "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC9Hbxl9wQ7APfnFdGvIWR1Qet5KI08zC400GGTkylAseoP8sJwkursSEk6Hq\
        bTSQZD5R+v8PCpkxhSMDzOnCxjMzkYnRSmAhzjtZYpQGz+m901jMOKMQCCX8YBIclQMo6OwZO44ZbrLNMaJsCN6/KIo9NrZXb0Ot+Dx3NQoNtC\
        z8cKa4NeBtRhMVPdNX/f7NdyCaKH95bjCU4Y6w0KG5La+FgktZsy7sD/M34IRH/rRTFzR415W2TeWOdZQ9DKeRNBz9rjxiIzXwk3KJUixFAaTq\
        7jALT/GS3ECEu2nB2NfWEpr6jpRak742cvHJ3jo9z+4wbSUvPmn/abvNeMTLSdAgMBAAECggEAAT+fAh/9W9OyefNqQk5ldri2sJgUm/V6dfLM\
        53KDRTVnfC94GnzTJuLbSOecO6zcaQ+sLoyCqjvvCdaJBZGBDC6cY+M1mFr54dmjDNFWEYrp4klJnodFn5a48ez31/BdgefD7TvgCTFvO1miJS\
        MM+NtMBrDRdjn6m8jHTshLv5x9+u8+gLIh8CreV12Rq+4efdXK0Ln+9ACoGcZ0YbY+3n0Rfgo6Z11PWWJ31OnMroGyo5aBsI31R9VCA4kLHXtF\
        LdfVrCuXmI6lA6WaHjlF8MIK6WzsZJR02nk8sA+xcR1Aa92XmyfXBIv6rvWQYvh2hDY/f/aPzRKSouHK7eaQwQKBgQDksi9qLGLJtL+LAmUREl\
        IuL1Ne6R+BHIeynPmB4wsJneD83JRH9Ghh5Z65BmUVvxT3QxEnXLJYag/Nk4s5otPX+EQkfhPYojssrNgWY5gTBUeVA9KBx8oTCLTye628AiL7\
        AcWSt4Wm8OKutUMmBKw5/9t2fF9OcVcmNLFJFpCoaQKBgQDTsdcOlEXJaU37mchTF+KYuHxKBOv/SuEA/1y98EJJsRjyGJEWWFVud5Gu47fQjJ\
        rXNXOSc6X9lq3G3MNAEIoElqc3YWXm3YWLgUWW6VhR+D4gGnInSCmSfVfKEH/VbiXRLje2S1KklCz12Y4ezYDQv3b4WK0twsU9Mx41GbtEFQKB\
        gA/gpxYR+tHSMLIv+mBTC02Vj445VSyblHg8Gb6AytViFqq3jbvpJg4V6Q0jeoUl/QilqV04PFGTG4HESpg3y8lkvSZjcnFJ4h3Z6i6zv20ior\
        Ofzk+gVVE4+4cSOx+gbllK6DKldyv98V77yqurC2IDd3Mkc2F40PogEmbmoChxAoGBAKCT1b2JWyZcanrfO8VL6OZPinfbI+iSs/o9ueuZw66C\
        V5nMaMG6X5Nbv3YZ5eSbwxhbwz7j2pVxJoAiFTkTUp4IaO7pQpLMlfAsLs06U3RaCUXwyYZihqZHzb/IpC8RTj5OAJSWrimI/FHApL1YxM2Tbn\
        sTSMndZB/4FoHQ8uvBAoGBAMh6CBdQm+AJ0gQjozbPBYARLzBGxToLgb7+cpv3gsH0tHTfNp2pPsY8GhU+Qd12+h0+XW8ajC6bnMSwrInxl/wg\
        S2Q3A7/EcEF9XD56VD697anfis4SGeOOT4MiJOYVbLxWN6Htb3B3AYE9jfokzfbycyOO2mOn29NEEbzOIzji";

    /// Takes the signature by this algorithm and this key, and no other.
    fn assert_taken(algorithm: Algorithm, key: &DecodingKey, signature: &[u8]) {
        let verifies = |message: &[u8], signature: &[u8]| {
            verifier(algorithm, key).unwrap().verify(message, &signature.to_vec()).is_ok()
        };
        assert!(verifies(MESSAGE, signature), "{algorithm:?}");
        assert!(!verifies(b"header.others", signature), "{algorithm:?}: of another message");
        let mut changed = signature.to_vec();
        changed[7] ^= 1;
        assert!(!verifies(MESSAGE, &changed), "{algorithm:?}: another signature");
        assert!(!verifies(MESSAGE, &[]), "{algorithm:?}: none");
        for other in algorithm.family().algorithms().iter().filter(|other| **other != algorithm) {
            let verified = verifier(*other, key).unwrap().verify(MESSAGE, &signature.to_vec());
            assert!(verified.is_err(), "{algorithm:?} as {other:?}");
        }
    }

    #[test]
    fn rsa_keys() {
        let pair = RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(RSA).unwrap()).unwrap();
        let RsaPublicKeyComponents::<Vec<u8>> { n, e } = pair.public().into();
        let key = DecodingKey::from_rsa_raw_components(&n, &e);
        let encodings: [(Algorithm, &dyn RsaEncoding); 6] = [
            (Algorithm::RS256, &RSA_PKCS1_SHA256),
            (Algorithm::RS384, &RSA_PKCS1_SHA384),
            (Algorithm::RS512, &RSA_PKCS1_SHA512),
            (Algorithm::PS256, &RSA_PSS_SHA256),
            (Algorithm::PS384, &RSA_PSS_SHA384),
            (Algorithm::PS512, &RSA_PSS_SHA512),
        ];
        for (algorithm, encoding) in encodings {
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(encoding, &SystemRandom::new(), MESSAGE, &mut signature).unwrap();
            assert_taken(algorithm, &key, &signature);
        }
    }

    #[test]
    fn keys_on_curves() {
        let random = SystemRandom::new();
        let curves: [(Algorithm, &'static EcdsaSigningAlgorithm); 2] = [
            (Algorithm::ES256, &ECDSA_P256_SHA256_FIXED_SIGNING),
            (Algorithm::ES384, &ECDSA_P384_SHA384_FIXED_SIGNING),
        ];
        for (algorithm, signing) in curves {
            let document = EcdsaKeyPair::generate_pkcs8(signing, &random).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(signing, document.as_ref(), &random).unwrap();
            let key = DecodingKey::from_ec_der(pair.public_key().as_ref());
            assert_taken(algorithm, &key, pair.sign(&random, MESSAGE).unwrap().as_ref());
        }
        let document = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        let key = DecodingKey::from_ed_der(pair.public_key().as_ref());
        assert_taken(Algorithm::EdDSA, &key, pair.sign(MESSAGE).as_ref());
    }

    #[test]
    fn no_shared_secret_and_no_key_of_another_family() {
        let secret = DecodingKey::from_secret(b"secret");
        let verified = verifier(Algorithm::HS256, &secret).unwrap().verify(MESSAGE, &b"any".to_vec());
        assert!(verified.is_err());
        assert!(verifier(Algorithm::RS256, &secret).is_err());
    }
}
