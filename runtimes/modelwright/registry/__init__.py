"""Registries by the OCI distribution API: what an image's name says, who logs in, what is asked and answered.

Those who ask differ, a person at a terminal (`modelwright.images`) and a Job in a cluster (`modelwright.sources`): a
`Caller` has their logins, their words for a refusal, and the error that they raise.
"""
